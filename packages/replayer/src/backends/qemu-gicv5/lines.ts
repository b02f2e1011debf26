// A line that QEMU's GICv5 prints, as an observable or as the end of an operation of the guest stub. It knows lines only as
// text, and no stimulus.

import { IRS_REFUSALS, NO_PE, RECORDS } from '@gictrace/core/record';
import { DOMAINS, GICV5_TYPES, type Gicv5Type, gicv5Intid } from '@gictrace/core/spec';

/** A record that a line is: its kind, its PE or IAFFID, and its words. */
export interface Shown {
  readonly kind: number;
  /** The IAFFID of the PE, `NO_PE` if the line is of no PE, or `WHOSE` if it does not say of which PE it is. */
  readonly iaffid: number;
  readonly words: readonly number[];
}
/** The line is of a PE and does not say of which: of that of the line before it, or of that of the stimulus. */
export const WHOSE = -2;

const domainOf = (name: string) => DOMAINS.indexOf((NAMES[name] ?? name) as (typeof DOMAINS)[number]);
const NAMES: Readonly<Record<string, string>> = { NonSecure: 'NS', Secure: 'S' };
const intidOf = (type: string, id: string) => gicv5Intid(GICV5_TYPES[type as Gicv5Type] ?? 0, Number(id));
const kind = (name: keyof typeof RECORDS) => RECORDS[name].id;
const high = (value: string) => Number(BigInt(value) >> 32n);
const low = (value: string) => Number(BigInt(value) & 0xffff_ffffn);

type Make = (m: RegExpExecArray) => Shown;
const PATTERNS: readonly (readonly [start: string, pattern: RegExp, make: Make])[] = [
  [
    'gicv5_irs_recalc_hppi ',
    /IRS (\w+) IAFFID (\d+): new HPPI ID (0x[0-9a-f]+) prio (\d+)$/,
    ([, domain, iaffid, intid, prio]) => ({
      kind: kind('irs.hppi'),
      iaffid: Number(iaffid),
      words: [domainOf(domain!), Number(iaffid), Number(intid), Number(prio)],
    }),
  ],
  [
    'gicv5_irs_recalc_hppi_fail ',
    /IRS (\w+) IAFFID (\d+): no HPPI: (.*)$/,
    ([, domain, iaffid, why]) => ({
      kind: kind('irs.refused'),
      iaffid: NO_PE,
      words: [
        domainOf(domain!),
        Number(iaffid),
        IRS_REFUSALS.indexOf(why!.startsWith('IRS_CR0') ? 'IRS disabled' : 'no such PE'),
      ],
    }),
  ],
  [
    'gicv5_recalc_ppi_hppi ',
    /domain (\d) new PPI HPPI id (0x[0-9a-f]+) prio (\d+)$/,
    ([, domain, intid, prio]) => ({
      kind: kind('ppi.hppi'),
      iaffid: WHOSE,
      words: [Number(domain), Number(intid), Number(prio)],
    }),
  ],
  [
    'gicv5_update_irq_fiq ',
    /now IRQ (\d) FIQ (\d) NMI (\d)$/,
    ([, irq, fiq, nmi]) => ({
      kind: kind('cpuif.signal'),
      iaffid: WHOSE,
      words: [Number(irq), Number(fiq), Number(nmi)],
    }),
  ],
  [
    'gicv5_ist_valid ',
    /IRS (\w+) IST now valid: base (0x[0-9a-f]+) id_bits (\d+) l2_idx_bits (\d+) IST entry size (\d+) 2-level (\d)$/,
    ([, domain, base, ids, index, bytes, two]) => ({
      kind: kind('ist.changed'),
      iaffid: NO_PE,
      words: [
        domainOf(domain!),
        1,
        low(base!),
        high(base!),
        Number(ids),
        Number(index),
        Number(bytes),
        Number(two),
      ],
    }),
  ],
  [
    'gicv5_ist_invalid ',
    /IRS (\w+) IST no longer valid$/,
    ([, domain]) => ({ kind: kind('ist.changed'), iaffid: NO_PE, words: [domainOf(domain!)] }),
  ],
  [
    'gicv5_activate ',
    /IRS Activate (\w+) (\w+) virtual:\d ID (\d+)$/,
    ([, domain, type, id]) => ({
      kind: kind('irs.activated'),
      iaffid: NO_PE,
      words: [domainOf(domain!), intidOf(type!, id!)],
    }),
  ],
  [
    'gicv5_deactivate ',
    /IRS Deactivate (\w+) (\w+) virtual:\d ID (\d+)$/,
    ([, domain, type, id]) => ({
      kind: kind('irs.deactivated'),
      iaffid: NO_PE,
      words: [domainOf(domain!), intidOf(type!, id!)],
    }),
  ],
  [
    'gicv5_request_config ',
    /IRS RequestConfig (\w+) (\w+) virtual:\d ID (\d+) ICSR (0x[0-9a-f]+)$/,
    ([, domain, type, id, icsr]) => ({
      kind: kind('irs.config'),
      iaffid: NO_PE,
      words: [domainOf(domain!), intidOf(type!, id!), low(icsr!), high(icsr!)],
    }),
  ],
  [
    'gicv5_spi_state ',
    /SPI ID (\d+) now level (\d) pending (\d) active (\d)$/,
    ([, id, level, pending, active]) => ({
      kind: kind('spi.state'),
      iaffid: NO_PE,
      words: [gicv5Intid(GICV5_TYPES.SPI, Number(id)), Number(level), Number(pending), Number(active)],
    }),
  ],
];

/** The observable that a line is; undefined for a line that says what was done, which is known. */
export function shownBy(line: string): Shown | undefined {
  for (const [start, pattern, make] of PATTERNS) {
    if (!line.startsWith(start)) continue;
    const found = pattern.exec(line);
    return found === null ? undefined : make(found);
  }
  return undefined;
}

const MARKED = /^gicv5_badwrite .* config frame write: offset (0x[0-9a-f]+) data (0x[0-9a-f]+) size 8/;

/** A write of 8 bytes to a reserved location: its offset and value. */
export function markOf(line: string): { readonly offset: number; readonly value: bigint } | undefined {
  const found = MARKED.exec(line);
  return found === null ? undefined : { offset: Number(found[1]), value: BigInt(found[2]!) };
}

/** Whether a line says that an access reached a reserved location. */
export const isReserved = (line: string): boolean => line.startsWith('gicv5_bad');
