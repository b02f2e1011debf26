// One line of a QEMU log with `gicv5_*` trace events. Every event of QEMU 11.1 is here; what the numbers mean is in QEMU's
// hw/intc/trace-events and target/arm/tcg/trace-events. Knows nothing of the order of lines.
import type { Losses } from '../common/losses.ts';
import { noTime, wholeTime } from '../common/times.ts';

/** A line of an event. Numbers that an event does not have are 0. */
export interface Line {
  readonly event: EventName;
  /** 1-based line of the log. */
  readonly line: number;
  /** Nanoseconds since the first line with a time; NaN if the log has no times. */
  timeNs: number;
  /** Interrupt domain: 0 Secure, 1 Non-secure, 2 EL3, 3 Realm. */
  readonly domain: number;
  /** Type of an interrupt; 0 if QEMU calls it reserved. */
  readonly type: number;
  readonly virtual: boolean;
  /** The other numbers in the order of the text. */
  readonly numbers: readonly bigint[];
  /** The rest of a text that ends in one: a reason. */
  readonly reason: string;
}

const DOMAIN = '(?<domain>Secure|NonSecure|EL3|Realm)';
const WHAT = String.raw`${DOMAIN} (?<type>PPI|LPI|SPI|RESERVED) virtual:(?<virtual>\d) ID (\d+)`;
const HEX = '0x([0-9a-f]+)';
const NUMBER = String.raw`domain (?<number>\d)`;

const TEXTS = {
  gicv5_read: `GICv5 IRS ${DOMAIN} config frame read: offset ${HEX} data ${HEX} size (\\d)`,
  gicv5_badread: `GICv5 IRS ${DOMAIN} config frame read: offset ${HEX} size (\\d): error`,
  gicv5_write: `GICv5 IRS ${DOMAIN} config frame write: offset ${HEX} data ${HEX} size (\\d)`,
  gicv5_badwrite: `GICv5 IRS ${DOMAIN} config frame write: offset ${HEX} data ${HEX} size (\\d): error`,
  gicv5_spi: String.raw`GICv5 SPI ID (\d+) asserted at level (\d+)`,
  gicv5_ist_valid: `GICv5 IRS ${DOMAIN} IST now valid: base ${HEX} id_bits (\\d+) l2_idx_bits (\\d+) IST entry size (\\d+) 2-level (\\d)`,
  gicv5_ist_invalid: `GICv5 IRS ${DOMAIN} IST no longer valid`,
  gicv5_set_priority: `GICv5 IRS SetPriority ${WHAT} prio (\\d+)`,
  gicv5_set_enabled: `GICv5 IRS SetEnabled ${WHAT} enabled (\\d)`,
  gicv5_set_pending: `GICv5 IRS SetPending ${WHAT} pending (\\d)`,
  gicv5_set_handling: `GICv5 IRS SetHandling ${WHAT} handling (\\d)`,
  gicv5_set_target: `GICv5 IRS SetTarget ${WHAT} IAFFID (\\d+) routingmode (\\d)`,
  gicv5_request_config: `GICv5 IRS RequestConfig ${WHAT} ICSR ${HEX}`,
  gicv5_activate: `GICv5 IRS Activate ${WHAT}`,
  gicv5_deactivate: `GICv5 IRS Deactivate ${WHAT}`,
  gicv5_spi_state: String.raw`GICv5 IRS SPI ID (\d+) now level (\d) pending (\d) active (\d)`,
  gicv5_irs_recalc_hppi_fail: `GICv5 IRS ${DOMAIN} IAFFID (\\d+): no HPPI: (?<reason>.*)`,
  gicv5_irs_recalc_hppi: `GICv5 IRS ${DOMAIN} IAFFID (\\d+): new HPPI ID ${HEX} prio (\\d+)`,
  gicv5_common_realize: String.raw`GICv5 IRS realized: IRS ID (\d+), (\d+) CPUs, SPI base (\d+), SPI IRS range (\d+), SPI range (\d+)`,
  gicv5_recalc_ppi_hppi: `${NUMBER} new PPI HPPI id ${HEX} prio (\\d+)`,
  gicv5_gicr_cdia_fail: `${NUMBER} CDIA attempt failed: (?<reason>.*)`,
  gicv5_gicr_cdia: `${NUMBER} CDIA acknowledge of interrupt ${HEX}`,
  gicv5_cdeoi: `${NUMBER} CDEOI performing priority drop`,
  gicv5_cddi: `${NUMBER} CDDI deactivating interrupt ID ${HEX}`,
  gicv5_update_irq_fiq: String.raw`now IRQ (\d) FIQ (\d) NMI (\d)`,
  gicv5_update_ppi_state: String.raw`PPI (\d+) source level now (\d)`,
} as const;
export type EventName = keyof typeof TEXTS | 'exception';

const PATTERNS = new Map<string, RegExp>(
  Object.entries(TEXTS).map(([name, text]) => [name, new RegExp(`^${text}$`)]),
);
/** By event: the groups of its pattern that are numbers and have no name, and whether each is hexadecimal. */
const NUMBERS = new Map<string, readonly (readonly [group: number, isHex: boolean])[]>(
  Object.entries(TEXTS).map(([name, text]) => [
    name,
    [...text.matchAll(/(0x)?\((?!\?:)(\?<\w+>)?/g)].flatMap(([, hex, named], k) =>
      named === undefined ? [[k + 1, hex !== undefined] as const] : [],
    ),
  ]),
);
const DOMAIN_NAMES = ['Secure', 'NonSecure', 'EL3', 'Realm'];
const TYPE_NAMES = ['RESERVED', 'PPI', 'LPI', 'SPI'];
/** An event, after a time stamp of QEMU 10.2 and later (ISO 8601) or of one before it (thread and seconds), or none. */
const EVENT =
  /(?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{6}))?Z |\d{1,20}@(\d{1,20})\.(\d{6}):)?\b(gicv5_\w+) (.*)$/;
/** What `-d int` prints when a PE takes an IRQ. */
const TAKING = /(?:^|Z |:)Taking exception 5 \[IRQ\] on CPU (\d+)$/;

/** Whether a line of text is one of an event of a GICv5. */
export function isGicv5Line(text: string): boolean {
  return PATTERNS.has(/\b(gicv5_\w+) /.exec(text)?.[1] ?? '');
}

/** Reads lines; keeps the time of the first one. */
export class LineReader {
  private first: readonly [number, number] | undefined;
  private readonly losses: Losses;

  /** Times that no record can hold are counted among the losses. */
  constructor(losses: Losses) {
    this.losses = losses;
  }

  /** The event of a line, `unknown` for a line of a `gicv5_` event that is not understood, or undefined for any other. */
  read(text: string, line: number): Line | 'unknown' | undefined {
    const found = EVENT.exec(text);
    if (found === null) {
      const taking = TAKING.exec(text.trimEnd());
      if (taking === null) return undefined;
      const numbers = [BigInt(taking[1]!)];
      return { event: 'exception', line, timeNs: Number.NaN, numbers, ...NOTHING };
    }
    const [, date, micros, seconds, moreMicros, event, rest] = found;
    const match = PATTERNS.get(event!)?.exec(rest!.trimEnd());
    if (match === null || match === undefined) return 'unknown';
    const { domain, number, type, virtual, reason } = match.groups ?? {};
    const numbers = NUMBERS.get(event!)!.map(([group, isHex]) =>
      BigInt(`${isHex ? '0x' : ''}${match[group]}`),
    );
    return {
      event: event as EventName,
      line,
      timeNs:
        date !== undefined
          ? this.since(Date.parse(`${date}Z`) / 1000, Number(micros ?? 0))
          : seconds !== undefined
            ? this.since(Number(seconds), Number(moreMicros))
            : Number.NaN,
      domain: domain === undefined ? Number(number ?? 1) : DOMAIN_NAMES.indexOf(domain),
      type: type === undefined ? 0 : TYPE_NAMES.indexOf(type),
      virtual: virtual === '1',
      numbers,
      reason: reason ?? '',
    };
  }

  private since(seconds: number, micros: number): number {
    if (Number.isNaN(seconds)) return noTime(this.losses);
    this.first ??= [seconds, micros];
    return wholeTime((seconds - this.first[0]) * 1e9 + (micros - this.first[1]) * 1e3, this.losses);
  }
}
const NOTHING = { domain: 1, type: 0, virtual: false, reason: '' } as const;
