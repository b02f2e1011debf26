// The VLPI frame of a Redistributor: residency of vPEs (IHI 0069, "GICR_VPENDBASER", "GICR_VPROPBASER"), and GICv4.1's
// registers for virtual SGIs.
import { UNITS } from '../record/index.ts';
import { fieldReader, GICR, mask, maskHigh, VSGI_COUNT } from '../spec/index.ts';
import type { Machine } from './machine.ts';
import {
  endResidency,
  invalidateVlpis,
  isPendingIn,
  makeResident,
  NO_VPEID,
  reloadResident,
} from './vlpi.ts';
import { BY_REDISTRIBUTOR, newVpe, readVpe, vpeTableOf, writeVpe } from './vpe-table.ts';

const UNIT_GICR = UNITS.indexOf('GICR');
const { GICR_TYPER, GICR_VPROPBASER, GICR_VPENDBASER } = GICR;
const V41 = GICR_VPENDBASER.views['GICv4.1'];
const VALID = maskHigh(GICR_VPENDBASER, 'Valid');
const PENDING_LAST = maskHigh(GICR_VPENDBASER, 'PendingLast');
const DOORBELL = maskHigh(V41, 'Doorbell');
/** The bits of GICR_VPENDBASER that a write can change: neither Dirty nor reserved bits. */
const VPENDBASER_40 = {
  low: mask(GICR_VPENDBASER, 'InnerCache', 'Shareability', 'Physical_Address'),
  high: maskHigh(GICR_VPENDBASER, 'Physical_Address', 'OuterCache', 'PendingLast', 'IDAI', 'Valid'),
};
const VPENDBASER_41 = {
  low: mask(V41, 'vPEID'),
  high: maskHigh(V41, 'VGrp1En', 'VGrp0En', 'PendingLast', 'Doorbell', 'Valid'),
};
const pendingTableOf = fieldReader(GICR_VPENDBASER, 'Physical_Address');
const configTableOf = fieldReader(GICR_VPROPBASER, 'Physical_Address');
const idBitsOf = fieldReader(GICR_VPROPBASER, 'IDbits');
const vpeidOf = fieldReader(V41, 'vPEID');
const vsgirVpeid = fieldReader(GICR.GICR_VSGIR, 'vPEID');
const RVPEID = mask(GICR_TYPER, 'RVPEID');
const VLPIS = mask(GICR_TYPER, 'VLPIS');
const VSGI = mask(GICR_TYPER, 'VSGI');

/** GICR_TYPER.RVPEID: VPROPBASER and VPENDBASER have the layout of GICv4.1. */
export function residencyByVpeid(m: Machine): boolean {
  return (m.state.config.gicr.typer & RVPEID) !== 0;
}

const vpe = newVpe();

/** GICv4.1: looks up a vPE in the vPE table. Returns whether it is mapped; its entry is then in `vpe`. */
function lookUp(m: Machine, pe: number, vpeid: number): boolean {
  return readVpe(m, BY_REDISTRIBUTOR, vpeid, vpe, vpeTableOf(m, pe)) === undefined;
}

/** GICR_INVLPIR and GICR_INVALLR with V = 1: reads the configuration of a vPE's vLPI again, or of all (vINTID 0). */
export function invalidateOfVpe(m: Machine, pe: number, vpeid: number, vintid: number): void {
  if (residencyByVpeid(m) && lookUp(m, pe, vpeid)) invalidateVlpis(m, pe, vpe.table, vintid);
}

/** GICv4.1: stores in the vPE's entry whether its default doorbell is requested. */
function askForDoorbell(m: Machine, pe: number, vpeid: number, ask: boolean): void {
  if (!lookUp(m, pe, vpeid) || vpe.ring === (ask ? 1 : 0)) return;
  vpe.ring = ask ? 1 : 0;
  writeVpe(m, BY_REDISTRIBUTOR, vpeid, vpe, vpeTableOf(m, pe)!);
}

/** GICR_TYPER.VLPIS: the Redistributor has a VLPI frame. */
export function hasVlpiFrame(m: Machine): boolean {
  return (m.state.config.gicr.typer & VLPIS) !== 0;
}
/** GICR_TYPER.VSGI. */
export function hasVsgi(m: Machine): boolean {
  return (m.state.config.gicr.typer & VSGI) !== 0;
}

function storeVpendbaser(m: Machine, pe: number, low: number, high: number): void {
  const { vpendbaser } = m.state.virtual;
  m.changeRegister(
    UNIT_GICR,
    pe,
    GICR.GICR_VPENDBASER.offset,
    low >>> 0,
    high >>> 0,
    vpendbaser[2 * pe]!,
    vpendbaser[2 * pe + 1]!,
  );
}

/** GICv4.0: the registers themselves contain the addresses of the vPE's tables. */
function schedule40(m: Machine, pe: number, low: number, high: number): void {
  const { vpropbaser } = m.state.virtual;
  const [propLow, propHigh] = [vpropbaser[2 * pe]!, vpropbaser[2 * pe + 1]!];
  const configTable = configTableOf(propLow, propHigh);
  makeResident(m, pe, pendingTableOf(low, high), NO_VPEID, configTable, idBitsOf(propLow));
  reloadResident(m, pe);
}

/** GICv4.1: the vPE table contains the addresses. A vPE that is not mapped cannot be resident, and Valid is not set. */
function schedule41(m: Machine, pe: number, vpeid: number): boolean {
  if (!lookUp(m, pe, vpeid)) return false;
  makeResident(m, pe, vpe.table, vpeid, vpe.configTable, vpe.size + 1);
  askForDoorbell(m, pe, vpeid, false);
  reloadResident(m, pe);
  return true;
}

export const vlpiFrameRead = {
  GICR_VPROPBASER: (m: Machine, pe: number): void => {
    m.low = m.state.virtual.vpropbaser[2 * pe]!;
    m.high = m.state.virtual.vpropbaser[2 * pe + 1]!;
  },
  GICR_VPENDBASER: (m: Machine, pe: number): void => {
    m.low = m.state.virtual.vpendbaser[2 * pe]!;
    m.high = m.state.virtual.vpendbaser[2 * pe + 1]!;
  },
  GICR_VSGIPENDR: (m: Machine, pe: number): void => {
    const asked = m.state.virtual.vsgir[pe]!;
    if (asked === 0 || !lookUp(m, pe, asked - 1)) return;
    for (let sgi = 0; sgi < VSGI_COUNT; sgi++) if (isPendingIn(m, vpe.table, sgi)) m.low |= 1 << sgi;
  },
};

export const vlpiFrameWrite = {
  GICR_VPROPBASER: (m: Machine, pe: number, _n: number, low: number, high: number): void => {
    const { vpropbaser } = m.state.virtual;
    m.changeRegister(
      UNIT_GICR,
      pe,
      GICR.GICR_VPROPBASER.offset,
      low,
      high,
      vpropbaser[2 * pe]!,
      vpropbaser[2 * pe + 1]!,
    );
  },
  GICR_VPENDBASER: (m: Machine, pe: number, _n: number, low: number, high: number): void => {
    const byVpeid = residencyByVpeid(m);
    const writable = byVpeid ? VPENDBASER_41 : VPENDBASER_40;
    const oldHigh = m.state.virtual.vpendbaser[2 * pe + 1]!;
    const newLow = (low & writable.low) >>> 0;
    let newHigh = (high & writable.high) >>> 0;
    const was = (oldHigh & VALID) !== 0;
    const is = (newHigh & VALID) !== 0;
    // The other fields must not change while a vPE is resident, so such a write is ignored.
    if (was && is) return m.unpredictable('vpendbaser-while-valid', pe, GICR.GICR_VPENDBASER.offset);
    if (is) {
      if (byVpeid) {
        if (!schedule41(m, pe, newLow)) return;
      } else {
        newHigh |= PENDING_LAST;
        schedule40(m, pe, newLow, newHigh);
      }
    } else if (was) {
      const vpeid = vpeidOf(m.state.virtual.vpendbaser[2 * pe]!);
      // PendingLast says whether interrupts are pending already; the doorbell is for those that become pending later.
      newHigh = endResidency(m, pe) ? newHigh | PENDING_LAST : newHigh & ~PENDING_LAST;
      if (byVpeid) askForDoorbell(m, pe, vpeid, (newHigh & DOORBELL) !== 0);
    }
    storeVpendbaser(m, pe, newLow, newHigh);
  },
  GICR_VSGIR: (m: Machine, pe: number, _n: number, low: number): void => {
    m.changeRegister(
      UNIT_GICR,
      pe,
      GICR.GICR_VSGIR.offset,
      vsgirVpeid(low) + 1,
      0,
      m.state.virtual.vsgir[pe]!,
      0,
    );
  },
};
