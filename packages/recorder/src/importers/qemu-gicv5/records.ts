// Records from the steps of a log of a GICv5: which kind, which words, which rule. Knows the declarations of records, and
// nothing of how a PE was found.
import {
  FRAMES,
  KNOWN_STATE,
  NO_PE,
  RECORD_FLAGS,
  RECORDS,
  type RecordBatch,
  RULES,
  UNITS,
} from '@gictrace/core/record';
import { GICV5_SYSREGS, gicv5Intid } from '@gictrace/core/spec';
import type { Line } from './lines.ts';
import type { Effect, Step } from './steps.ts';
import type { Deed, Learnt, Shown } from './world.ts';

const FRAME = FRAMES.indexOf('IRS');
const NS = 1;
const [PPI, SPI] = [1, 3];
const low = (value: bigint) => Number(value & 0xffff_ffffn);
const high = (value: bigint) => Number(value >> 32n);
const number = (line: Line, k: number) => Number(line.numbers[k] ?? 0n);
const intidOf = (line: Line) => gicv5Intid(line.type, number(line, 0));

/** A record without its place: kind, PE, words and flags. */
export interface Draft {
  readonly kind: keyof typeof RECORDS;
  readonly pe: number;
  readonly words: readonly number[];
  readonly flags: number;
}

const instruction = (name: keyof typeof GICV5_SYSREGS, value: bigint, pe: number, domain: number): Draft => ({
  kind: GICV5_SYSREGS[name].access === 'RO' ? 'sysreg.read' : 'sysreg.write',
  pe,
  words: [GICV5_SYSREGS[name].encoding, low(value), high(value)],
  flags: domain === 0 ? RECORD_FLAGS.secure : domain === 2 ? RECORD_FLAGS.el3 : 0,
});

/** The stimulus of a step; undefined for effects whose cause the log does not have. */
export function stimulusOf({ stimulus }: Step, pe: number): Draft | undefined {
  if (stimulus === undefined) return undefined;
  if (stimulus === 'PPI write' || stimulus === 'interface write')
    return { kind: 'cpuif.unseen', pe, words: [stimulus === 'PPI write' ? 0 : 1], flags: 0 };
  const { event, domain } = stimulus;
  const intid = BigInt(intidOf(stimulus));
  const operand = (name: keyof typeof GICV5_SYSREGS, lsb = 0n, value = 0n) =>
    instruction(name, intid | (value << lsb), pe, domain);
  const second = stimulus.numbers[1] ?? 0n;
  const access = (kind: 'mmio.read' | 'mmio.write', isBad: boolean): Draft => {
    const value = isBad && kind === 'mmio.read' ? 0n : second;
    const width = number(stimulus, isBad && kind === 'mmio.read' ? 1 : 2);
    return {
      kind,
      pe,
      words: [FRAME, domain, number(stimulus, 0), width, low(value), high(value)],
      flags: isBad ? RECORD_FLAGS.reserved : 0,
    };
  };
  switch (event) {
    case 'gicv5_read':
    case 'gicv5_badread':
      return access('mmio.read', event === 'gicv5_badread');
    case 'gicv5_write':
    case 'gicv5_badwrite':
      return access('mmio.write', event === 'gicv5_badwrite');
    case 'gicv5_set_priority':
      return operand('GIC_CDPRI', 35n, second);
    case 'gicv5_set_enabled':
      return operand(second === 0n ? 'GIC_CDDIS' : 'GIC_CDEN');
    case 'gicv5_set_pending':
      return operand('GIC_CDPEND', 32n, second);
    case 'gicv5_set_handling':
      return operand('GIC_CDHM', 32n, second);
    case 'gicv5_set_target':
      return operand('GIC_CDAFF', 0n, (second << 32n) | ((stimulus.numbers[2] ?? 0n) << 28n));
    case 'gicv5_request_config':
      return operand('GIC_CDRCFG');
    case 'gicv5_gicr_cdia':
      return instruction('GICR_CDIA', (1n << 32n) | stimulus.numbers[0]!, pe, domain);
    case 'gicv5_gicr_cdia_fail':
      return instruction(stimulus.reason.startsWith('CDNMIA') ? 'GICR_CDNMIA' : 'GICR_CDIA', 0n, pe, domain);
    case 'gicv5_cdeoi':
      return instruction('GIC_CDEOI', 0n, pe, domain);
    case 'gicv5_cddi':
      return instruction('GIC_CDDI', stimulus.numbers[0]!, pe, domain);
    case 'gicv5_spi':
      return {
        kind: 'wire.set',
        pe: NO_PE,
        words: [gicv5Intid(SPI, number(stimulus, 0)), number(stimulus, 1)],
        flags: 0,
      };
    case 'gicv5_update_ppi_state':
      return {
        kind: 'wire.set',
        pe,
        words: [gicv5Intid(PPI, number(stimulus, 0)), number(stimulus, 1)],
        flags: 0,
      };
    default:
      return undefined;
  }
}

/** What of a step needs a PE. */
export function deedOf({ stimulus }: Step): Deed | undefined {
  if (stimulus === 'PPI write') return { does: 'write PPI' };
  if (stimulus === 'interface write') return { does: 'write interface' };
  switch (stimulus?.event) {
    case 'gicv5_update_ppi_state':
      return { does: 'level', ppi: number(stimulus, 0), level: number(stimulus, 1) !== 0 };
    case 'gicv5_gicr_cdia':
      return { does: 'acknowledge', intid: number(stimulus, 0) };
    case 'gicv5_gicr_cdia_fail':
      return { does: 'find nothing' };
    case 'gicv5_cdeoi':
      return { does: 'end' };
    case 'gicv5_cddi': {
      const intid = number(stimulus, 0);
      // Deactivating an SPI or LPI is the same from every PE.
      return intid >>> 29 === PPI ? { does: 'deactivate', ppi: intid & 0x7f } : undefined;
    }
    default:
      return undefined;
  }
}

/** What the effects of a step show of PEs. */
export function shownBy({ effects }: Step): Shown[] {
  return effects.flatMap(({ line, iaffid }): Shown[] => {
    switch (line.event) {
      case 'gicv5_irs_recalc_hppi':
        if (line.domain !== NS) return [];
        return [{ is: 'irs', pe: iaffid, intid: number(line, 1), priority: number(line, 2) }];
      case 'gicv5_recalc_ppi_hppi':
        if (line.domain !== NS) return [];
        return [{ is: 'ppi', pe: -1, intid: number(line, 0), priority: number(line, 1) }];
      case 'gicv5_update_irq_fiq':
        return [{ is: 'signal', pe: iaffid, signalled: line.numbers.some((one) => one !== 0n) }];
      default:
        return [];
    }
  });
}

/** The observable of an effect; `pe` is that of the step. */
export function effectOf({ line, iaffid }: Effect, pe: number): Draft | undefined {
  const { event, domain } = line;
  const whose = iaffid >= 0 ? iaffid : pe;
  const make = (kind: Draft['kind'], of: number, words: readonly number[]): Draft => ({
    kind,
    pe: of,
    words,
    flags: 0,
  });
  switch (event) {
    case 'gicv5_irs_recalc_hppi':
      return make('irs.hppi', iaffid, [domain, iaffid, number(line, 1), number(line, 2)]);
    case 'gicv5_irs_recalc_hppi_fail':
      return make('irs.refused', NO_PE, [domain, iaffid, line.reason.includes('IRSEN') ? 1 : 0]);
    case 'gicv5_recalc_ppi_hppi':
      return make('ppi.hppi', whose, [domain, number(line, 0), number(line, 1)]);
    case 'gicv5_update_irq_fiq':
      return make('cpuif.signal', whose, [number(line, 0), number(line, 1), number(line, 2)]);
    case 'gicv5_ist_valid': {
      const base = line.numbers[0]!;
      const [, idBits, indexBits, bytes, levels] = line.numbers.map(Number) as [
        number,
        number,
        number,
        number,
        number,
      ];
      return make('ist.changed', NO_PE, [domain, 1, low(base), high(base), idBits, indexBits, bytes, levels]);
    }
    case 'gicv5_ist_invalid':
      return make('ist.changed', NO_PE, [domain, 0, 0, 0, 0, 0, 0, 0]);
    case 'gicv5_activate':
      return make('irs.activated', NO_PE, [domain, intidOf(line)]);
    case 'gicv5_deactivate':
      return make('irs.deactivated', NO_PE, [domain, intidOf(line)]);
    case 'gicv5_request_config':
      return make('irs.config', NO_PE, [
        domain,
        intidOf(line),
        low(line.numbers[1]!),
        high(line.numbers[1]!),
      ]);
    case 'gicv5_spi_state':
      return make('spi.state', NO_PE, [
        gicv5Intid(SPI, number(line, 0)),
        number(line, 1),
        number(line, 2),
        number(line, 3),
      ]);
    default:
      return undefined;
  }
}

const KNOWN = (what: (typeof KNOWN_STATE)[number]) => KNOWN_STATE.indexOf(what);
const ICC = UNITS.indexOf('ICC');
/** Five bits of priority: the lowest lets everything through. */
const LOWEST = 31;

/** What the effects of a step proved, as `state.known`. */
export function learntDrafts({
  pe,
  what,
  ppi,
  value,
}: Learnt): { readonly draft: Draft; readonly rule: number }[] {
  const known = (words: readonly number[]): Draft => ({ kind: 'state.known', pe, words, flags: 0 });
  if (what !== 'interface') {
    const words = [KNOWN(what), 0, 0, 0, gicv5Intid(PPI, ppi), value, 0];
    return [{ draft: known(words), rule: RULES['ppi-from-hppi'].id }];
  }
  const register = (name: keyof typeof GICV5_SYSREGS, to: number): Draft =>
    known([KNOWN('register'), ICC, pe, GICV5_SYSREGS[name].encoding, 0, to, 0]);
  const rule = RULES['interface-from-signal'].id;
  const enabled = { draft: register('ICC_CR0_EL1', value), rule };
  return value === 0 ? [enabled] : [{ draft: register('ICC_PCR_EL1', LOWEST), rule }, enabled];
}

/** Puts a draft into a batch of one record. */
export function fill(
  batch: RecordBatch,
  draft: Draft,
  rule: number,
  timeNs: number,
  line: number,
  flags = 0,
): void {
  batch.clear();
  const i = batch.push(RECORDS[draft.kind].id, draft.pe, timeNs);
  batch.flags[i] = draft.flags | flags;
  batch.rule[i] = rule;
  batch.line[i] = line;
  batch.words.fill(0);
  draft.words.forEach((word, k) => {
    batch.words[k] = word >>> 0;
  });
}
