// Checks of the interrupt state table of a GICv5: when it becomes valid, and which LPIs it has. Only memory that the source
// contains is looked at.
import { type Gicv5Machine, gicv5L1Address, gicv5MayHaveIste, IST } from '../gicv5/index.ts';
import { ADDRESSES, GICV5_ENTRIES, GICV5_TYPES, gicv5Id, gicv5Type, IRS, mask } from '../spec/index.ts';
import type { CheckContext } from './context.ts';

const VALID = 1;
/** PENDING and HWU of an entry. */
const MUST_BE_ZERO = mask(GICV5_ENTRIES.L2_ISTE, 'PENDING', 'HWU');
/** The most entries of a linear table that are looked at. */
const ENTRIES_MAX = 65_536;
const ID = 0xff_ffff;

export class Gicv5TableChecks {
  private readonly c: CheckContext<Gicv5Machine>;
  private wasValid = false;
  /** The ID of an LPI whose level-2 table this stimulus maps; -1 if none. */
  private mapped = -1;

  constructor(context: CheckContext<Gicv5Machine>) {
    this.c = context;
  }

  /** A register of the IRS is about to be written. */
  written(offset: number, value: number): void {
    const { c } = this;
    const { state } = c.machine;
    const isValid = (state.istBaser[0]! & VALID) !== 0;
    if (offset === IRS.IRS_IST_CFGR.offset && isValid && value !== state.istCfgr[0])
      c.find('ist-config-while-valid', c.now(), -1, c.stimulusText());
    if (offset === IRS.IRS_IST_BASER.offset && isValid && value & VALID && value !== state.istBaser[0])
      c.find('ist-config-while-valid', c.now(), -1, c.stimulusText());
    if (offset === IRS.IRS_MAP_L2_ISTR.offset && isValid && state.ist[IST.twoLevel] !== 0)
      this.maps(value & ID);
  }

  private maps(id: number): void {
    const { c } = this;
    const { ist, memory } = c.machine.state;
    // There is no level-1 entry for an LPI that the table does not have.
    if (id >= 2 ** ist[IST.idBits]!) return;
    const l1 = gicv5L1Address(c.machine, id);
    if (!memory.areKnown(l1, 8)) return;
    if (memory.readWord(l1) & VALID)
      c.find(
        'iste-valid-by-software',
        c.now(),
        -1,
        `level-1 entry at 0x${l1.toString(16)}: ${c.stimulusText()}`,
      );
    else this.mapped = id;
  }

  /** The stimulus has run: a table that became valid by it has to be zero. */
  settled(): void {
    const { state } = this.c.machine;
    const isValid = state.ist[IST.valid] !== 0;
    const [bits, bytes] = [state.ist[IST.idBits]!, state.ist[IST.entryBytes]!];
    if (isValid && !this.wasValid && state.ist[IST.twoLevel] === 0)
      this.look(
        state.ist[IST.high]! * 2 ** 32 + state.ist[IST.low]!,
        Math.min(2 ** bits, ENTRIES_MAX),
        bytes,
        0,
      );
    this.wasValid = isValid;
    if (this.mapped < 0) return;
    const l1 = gicv5L1Address(this.c.machine, this.mapped);
    const table =
      (state.memory.readWord(l1 + 4) & 0xff_ffff) * 2 ** 32 +
      ((state.memory.readWord(l1) & 0xffff_f000) >>> 0);
    const entries = 2 ** state.ist[IST.indexBits]!;
    this.look(table, Math.min(entries, 2 ** bits), bytes, Math.floor(this.mapped / entries) * entries);
    this.mapped = -1;
  }

  private look(address: number, entries: number, bytes: number, first: number): void {
    const { c } = this;
    const { memory } = c.machine.state;
    for (let k = 0; k < entries; k++) {
      const at = address + k * bytes;
      if (at + 4 > ADDRESSES) return;
      if (!memory.areKnown(at, 4) || (memory.readWord(at) & MUST_BE_ZERO) === 0) continue;
      const value = memory.readWord(at).toString(16);
      c.find(
        'ist-not-zero',
        c.now(),
        -1,
        `the entry of LPI ${first + k} at 0x${at.toString(16)} is 0x${value}: ${c.stimulusText()}`,
      );
      return;
    }
  }

  /** Whether an instruction that configures this interrupt has an effect, as far as the source shows. */
  canReach(intid: number): boolean {
    const { c } = this;
    const { state } = c.machine;
    const id = gicv5Id(intid);
    if (gicv5Type(intid) === GICV5_TYPES.SPI) return state.spiIndex(id) >= 0;
    if (gicv5Type(intid) !== GICV5_TYPES.LPI) return false;
    return gicv5MayHaveIste(c.machine, id, c.fromReset);
  }
}
