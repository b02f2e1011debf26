// Why a pending interrupt was not signalled or not acknowledged: for each masking reason the record that brought it about,
// from the conditions that one pass over the trace has followed.
import type { Condition, Gate } from '@gictrace/core/model';
import { FRAMES, GICD, GICR, isPrivate, LPI_FIRST, SPI_FIRST, SYSREGS } from '@gictrace/core/spec';
import {
  type Cause,
  causedBy,
  causeOf,
  NO_RECORDS,
  NOT_IN_SOURCE,
  noRecord,
  recordsOfChange,
  recordsOfCommand,
} from './cause.ts';
import type { ExecutedCommand } from './commands.ts';
import type { Gather } from './gather.ts';
import {
  CONFIG_WRITES,
  type Hold,
  ICC_WRITES,
  isShared,
  ofPe,
  peText,
  type Story,
  trackOf,
  writeKey,
} from './gathered.ts';
import type { Change } from './tracks.ts';

const GROUP_NAMES = ['0', '1S', '1NS'];
const hex = (value: number) => (value < 0 ? 'unknown' : `0x${value.toString(16)}`);

/** INTIDs from here on have registers of their own. */
const EXTENDED_FIRST = 1020;
/** How many writes are named where one is missing. */
const LAST_WRITES = 3;
const isZero = (value: number) => value === 0;

/** A condition that blocks, how it is said, and the registers on which it depends. */
interface Closing {
  readonly condition: Condition;
  readonly isClosed?: (value: number) => boolean;
  readonly closes: (pe: number) => string;
  readonly never: (pe: number) => string;
  readonly registers: (intid: number, pe: number) => readonly number[];
}
const gicd = (offset: number) => writeKey(FRAMES.indexOf('GICD'), 0, offset);
const gicr = (pe: number, offset: number) => writeKey(FRAMES.indexOf('GICR'), pe, offset);
const icc = (pe: number, { encoding }: { readonly encoding: number }) => writeKey(ICC_WRITES, pe, encoding);

/** The register that has the enable bit of an SGI, PPI or SPI. */
const enableKey = (intid: number, pe: number) =>
  intid >= EXTENDED_FIRST
    ? -1
    : isPrivate(intid)
      ? gicr(pe, GICR.GICR_ISENABLER.offset)
      : gicd(GICD.GICD_ISENABLER.offset + 4 * (intid >> 5));

const CLOSING: Readonly<Partial<Record<Gate, Closing>>> = {
  'LPIs disabled': {
    condition: 'LPIs enabled',
    closes: () => 'clears GICR_CTLR.EnableLPIs',
    never: (pe) => `GICR_CTLR.EnableLPIs of ${ofPe(pe)} has not been set`,
    registers: (_intid, pe) => [gicr(pe, GICR.GICR_CTLR.offset)],
  },
  'group disabled in GICD_CTLR': {
    condition: 'forwarded',
    closes: () => 'leaves its group disabled in GICD_CTLR',
    never: () => 'GICD_CTLR has not enabled its group',
    registers: () => [gicd(GICD.GICD_CTLR.offset)],
  },
  'group disabled at the PE': {
    condition: 'group enabled at the PE',
    closes: (pe) => `leaves its group disabled at ${ofPe(pe)} (ICC_IGRPEN)`,
    never: (pe) => `${peText(pe)} has not enabled its group (ICC_IGRPEN)`,
    registers: (_intid, pe) => [icc(pe, SYSREGS.ICC_IGRPEN1_EL1), icc(pe, SYSREGS.ICC_IGRPEN0_EL1)],
  },
  'PE asleep': {
    condition: 'awake',
    closes: (pe) => `puts ${ofPe(pe)} to sleep (GICR_WAKER.ProcessorSleep)`,
    never: (pe) => `${peText(pe)} has not been woken (GICR_WAKER.ProcessorSleep)`,
    registers: (_intid, pe) => [gicr(pe, GICR.GICR_WAKER.offset)],
  },
  'priority mask': {
    condition: 'above the priority mask',
    // The priority of an LPI is known only while the Redistributor has its configuration.
    isClosed: (value) => value !== 1,
    closes: (pe) => `makes its priority no higher than ICC_PMR_EL1 of ${ofPe(pe)}`,
    never: (pe) => `ICC_PMR_EL1 of ${ofPe(pe)} has not been raised above its priority`,
    registers: (_intid, pe) => [icc(pe, SYSREGS.ICC_PMR_EL1)],
  },
  'no PE': {
    condition: 'route',
    isClosed: (value) => value < 0,
    closes: () => 'routes it to no PE',
    never: () => 'GICD_IROUTER names no PE',
    registers: (intid) => [gicd(GICD.GICD_IROUTER.offset + 8 * (intid - SPI_FIRST))],
  },
};

/** Conditions whose changes are described by their values. */
type Described = 'route' | 'group' | 'priority';

export class Blocked {
  private readonly g: Gather;
  /** By interrupt and PE: see lastTaken. */
  private readonly taken = new Map<string, readonly Story[]>();

  constructor(gather: Gather) {
    this.g = gather;
  }

  /** What closed the gate of a hold. */
  causeOfHold(story: Story, hold: Hold): Cause {
    const { intid } = story.lifetime;
    const at = hold.from.record;
    const { pe } = hold;
    const gate = hold.gate as Gate;
    const closing = CLOSING[gate];
    if (closing !== undefined) return this.causeOfCondition(closing, intid, pe, at);
    switch (gate) {
      case 'disabled':
        return intid >= LPI_FIRST
          ? this.causeOfDisabledLpi(intid, pe, hold)
          : this.causeOfDisabled(intid, pe, at, hold.to?.record ?? this.g.records);
      case 'active':
        return this.causeOfActive(intid, pe, at, hold.to?.record ?? this.g.records);
      case 'running priority':
        if (hold.handled === undefined)
          return noRecord(`${peText(pe)} runs at an active priority that it had before the source began`);
        return {
          record: hold.handled.since,
          also: NO_RECORDS,
          what: `${peText(pe)} acknowledges INTID ${hold.handled.intid}, and no EOI follows before this`,
          missing: { what: 'EOI', pe, intid: hold.handled.intid },
        };
      case 'behind':
        return {
          record: hold.ahead!.since,
          also: NO_RECORDS,
          what: `makes INTID ${hold.ahead!.intid} the highest-priority pending interrupt of ${ofPe(pe)}`,
          missing: undefined,
        };
      case 'configuration unknown':
        return this.causeOfUnknown(intid, pe, at);
      default:
        return noRecord('source and simulator disagree');
    }
  }

  private causeOfCondition(closing: Closing, intid: number, pe: number, at: number): Cause {
    const { g } = this;
    const change = g.tracks.get(trackOf(closing.condition, intid, pe)).since(at, closing.isClosed ?? isZero);
    const written = Math.max(
      -1,
      ...closing.registers(intid, pe).map((register) => g.lastWrite(register, at)),
    );
    const cause =
      intid >= LPI_FIRST && closing.condition === 'above the priority mask'
        ? this.causeOfMaskedLpi(closing, intid, pe, at, written)
        : causeOf(g, change, closing.closes(pe), closing.never(pe), written);
    // Its group, or its priority, and the register decide together: both are named.
    return written < 0 ? cause : { ...cause, also: [...cause.also, written] };
  }

  /**
   * The Redistributor has the priority of an LPI only while it is pending, so that what changed meanwhile is found by its
   * writes: of the configuration byte and of ICC_PMR_EL1, since it was last above the mask.
   */
  private causeOfMaskedLpi(closing: Closing, intid: number, pe: number, at: number, mask: number): Cause {
    const { g } = this;
    const track = g.tracks.get(trackOf(closing.condition, intid, pe));
    const closed = track.since(at, (value) => value !== 1);
    const config = g.lastWrite(writeKey(CONFIG_WRITES, 0, intid), at);
    const open = closed === undefined ? undefined : track.lastBefore(closed, (value) => value === 1);
    const from = open?.record ?? -1;
    if (config > from && config > mask)
      return {
        record: config,
        also: closed === undefined || closed.command < 0 ? NO_RECORDS : recordsOfChange(g, closed).also,
        what: `gives its configuration byte a priority that is no higher than ICC_PMR_EL1 of ${ofPe(pe)}`,
        missing: undefined,
      };
    if (mask > from) return { record: mask, also: NO_RECORDS, what: closing.closes(pe), missing: undefined };
    return causeOf(g, closed, closing.closes(pe), closing.never(pe), mask);
  }

  /** If the configuration of an LPI is not in the source, something else may block it all the same. */
  private causeOfUnknown(intid: number, pe: number, at: number): Cause {
    const { g } = this;
    for (const closing of Object.values(CLOSING)) {
      const isClosed = closing.isClosed ?? isZero;
      const value = g.tracks.get(trackOf(closing.condition, intid, pe)).valueAt(at);
      // A priority that is unknown is not below the mask.
      const isUnknown = closing.condition === 'above the priority mask' && value === -1;
      if (closing.condition === 'route' || value === undefined || isUnknown || !isClosed(value)) continue;
      const cause = this.causeOfCondition(closing, intid, pe, at);
      return { ...cause, what: `${cause.what} (its configuration byte is not in the source)` };
    }
    const mapping = g.commands.last(at, (command) => this.maps(command, intid));
    const mask = g.lastWrite(icc(pe, SYSREGS.ICC_PMR_EL1), at);
    return {
      ...noRecord(`its configuration byte, and with it its priority: ${NOT_IN_SOURCE}`),
      also: [
        ...(mapping === undefined ? [] : [recordsOfCommand(mapping).record]),
        ...(mask < 0 ? [] : [mask]),
      ],
    };
  }

  private causeOfDisabled(intid: number, pe: number, at: number, until: number): Cause {
    const { g } = this;
    const change = g.tracks.get(trackOf('enabled', intid, pe)).since(at, isZero);
    if (change !== undefined && change.record >= 0) return causeOf(g, change, 'clears its enable bit', '');
    const before = g.configured
      .filter((one) => one.record <= at && (one.pe < 0 || one.pe === pe))
      .map(({ record }) => record)
      .slice(-LAST_WRITES);
    const never = 'nothing has set its enable bit since the trace began';
    const missing = { what: 'enable', pe, intid } as const;
    const last = before.at(-1);
    // What sets enable bits of its register, and not its own, as a driver does that takes a wrong bit.
    const enables = g.writesOf(enableKey(intid, pe)).filter((record) => record <= until);
    const near = enables.find((record) => last === undefined || record > last);
    if (near !== undefined)
      return {
        record: near,
        also: [enables.at(-1)!, ...before.toReversed()],
        what: `writes ${isPrivate(intid) ? 'GICR' : 'GICD'}_ISENABLER and leaves its bit out: ${never}`,
        missing,
      };
    if (last === undefined) return noRecord(never, missing);
    return {
      record: last,
      also: [...before.slice(0, -1).reverse(), ...enables.slice(-1)],
      what: `is the last write that configures it before that: ${never}`,
      missing,
    };
  }

  private causeOfDisabledLpi(intid: number, pe: number, hold: Hold): Cause {
    const at = hold.from.record;
    const memory = this.g.tracks.get(trackOf('enabled in memory', intid, pe));
    const cached = this.g.tracks.get(trackOf('enabled', intid, pe)).since(at, (value) => value === 0);
    // What is written to memory while it is pending takes effect with an INV.
    const last = hold.to === undefined ? Number.POSITIVE_INFINITY : at;
    if (memory.valueAt(last) === 1) {
      const since = memory.since(last, (value) => value === 1)!;
      return {
        record: since.record,
        also: cached === undefined ? NO_RECORDS : [cached.record],
        what: `enables INTID ${intid} in memory, and no INV or INVALL follows, so ${ofPe(pe)} still uses the configuration that it read before`,
        missing: { what: 'INV', pe, intid },
      };
    }
    const disabled = memory.since(at, isZero);
    const written = this.g.lastWrite(writeKey(CONFIG_WRITES, 0, intid), at);
    if (written >= 0 || (disabled !== undefined && disabled.record >= 0))
      return {
        record: written >= 0 ? written : disabled!.record,
        also: cached === undefined ? NO_RECORDS : [cached.record],
        what: `gives its configuration byte an Enable bit of 0`,
        missing: undefined,
      };
    if (cached !== undefined && cached.record >= 0)
      return {
        ...recordsOfChange(this.g, cached),
        what: 'makes the Redistributor read a configuration byte with Enable 0',
        missing: undefined,
      };
    return noRecord('its configuration byte has had Enable 0 since the trace began', { what: 'other' });
  }

  private causeOfActive(intid: number, owner: number, at: number, until: number): Cause {
    const change = this.g.tracks.get(trackOf('active', intid, owner)).since(at, (value) => value === 1);
    const before = this.lastTaken(intid, isShared(intid) ? -1 : owner, at);
    const pe = before?.lifetime.pe ?? owner;
    const eoi = before?.lifetime.eoi;
    const what =
      eoi !== undefined && eoi.record <= until
        ? `makes it active; its priority was dropped at record ${eoi.record}, but nothing has deactivated it (ICC_DIR_EL1)`
        : 'makes it active, and nothing has deactivated it: there is no EOI of it';
    const cause = causeOf(this.g, change, what, 'it has been active', -1, { what: 'EOI', pe, intid });
    if (eoi === undefined || eoi.record > until) return cause;
    // With ICC_CTLR_EL1.EOImode 1, an EOI does not deactivate.
    const mode = this.g.lastWrite(icc(pe, SYSREGS.ICC_CTLR_EL1), until);
    return mode < 0 ? cause : { ...cause, also: [...cause.also, mode] };
  }

  /** The last lifetime of an interrupt that was acknowledged by a PE (any, if -1) up to a record. */
  private lastTaken(intid: number, pe: number, at: number): Story | undefined {
    const key = `${intid} ${pe}`;
    let taken = this.taken.get(key);
    if (taken === undefined) {
      taken = this.g.stories
        .filter(
          ({ lifetime }) =>
            lifetime.intid === intid && lifetime.acknowledged !== undefined && (pe < 0 || lifetime.pe === pe),
        )
        .sort((a, b) => a.lifetime.acknowledged!.record - b.lifetime.acknowledged!.record);
      this.taken.set(key, taken);
    }
    let low = 0;
    let high = taken.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (taken[middle]!.lifetime.acknowledged!.record <= at) low = middle + 1;
      else high = middle;
    }
    return taken[low - 1];
  }

  /** Why a PE does not acknowledge what it is signalled: what changed since it last did. */
  causeOfSilence(story: Story, hold: Hold, good: Story | undefined): Cause {
    const changes = this.changesBetween(story, good?.lifetime.acknowledged?.record ?? -1, hold.from.record);
    const last =
      changes.find(
        ({ condition }) => condition === 'route' || condition === 'group' || condition === 'mapping',
      ) ?? changes[0];
    if (last !== undefined) return last.cause;
    const access = this.g.lastAccess[hold.pe] ?? -1;
    return {
      record: -1,
      also: access < 0 ? NO_RECORDS : [access],
      what: `PE${hold.pe} is signalled it and does not acknowledge it${access < 0 ? '' : `; its last access to its CPU interface is record ${access}`}`,
      missing: undefined,
    };
  }

  /** What changed on the way of an interrupt between two records, the last change first. */
  changesBetween(story: Story, from: number, to: number): { condition: string; cause: Cause }[] {
    const { g } = this;
    const { intid, pe } = story.lifetime;
    const found: { condition: string; cause: Cause }[] = [];
    const texts: Readonly<Record<Described, (change: Change, before: number | undefined) => string>> = {
      route: ({ value }, before) =>
        `routes it to ${value < 0 ? 'no PE' : `PE${value}`}${before === undefined ? '' : `; it was routed to ${before < 0 ? 'no PE' : `PE${before}`}`}`,
      group: ({ value }, before) =>
        `puts it into group ${GROUP_NAMES[value]}${before === undefined ? '' : `; it was in group ${GROUP_NAMES[before]}`}`,
      priority: ({ value }, before) =>
        `gives it priority ${hex(value)}${before === undefined ? '' : `; it was ${hex(before)}`}`,
    };
    for (const [condition, text] of Object.entries(texts) as [Described, (typeof texts)[Described]][]) {
      if (intid >= LPI_FIRST) continue;
      if (isPrivate(intid) && condition === 'route') continue;
      const track = g.tracks.get(trackOf(condition, intid, pe));
      for (const change of track.within(from, to))
        found.push({
          condition,
          cause: {
            ...recordsOfChange(this.g, change),
            what: text(change, track.before(change)),
            missing: undefined,
          },
        });
    }
    if (intid >= LPI_FIRST)
      for (const command of g.commands.all) {
        if (command.record <= from || command.record > to || !this.maps(command, intid)) continue;
        found.push({
          condition: 'mapping',
          cause: { ...recordsOfCommand(command), what: mappingText(command), missing: undefined },
        });
      }
    return found.sort((a, b) => b.cause.record - a.cause.record);
  }

  /** The commands that say to which PE an LPI goes: of its event, and of its collection. */
  targetOf(intid: number, at: number): Cause[] {
    const { commands } = this.g;
    const mapping = commands.last(at, (command) => this.maps(command, intid));
    if (mapping === undefined) return [];
    const { ICID } = mapping.operands;
    const mapc = commands.last(
      at,
      ({ name, its, operands, refused }) =>
        name === 'MAPC' && !refused && its === mapping.its && operands.ICID === ICID,
    );
    const order = commands.all.indexOf(mapping);
    const refused = commands.last(
      at,
      (command) =>
        command.name === 'MOVI' &&
        command.failed &&
        commands.all.indexOf(command) > order &&
        this.g.events.has(`${command.operands.DeviceID} ${command.operands.EventID}`),
    );
    return [
      ...(refused === undefined ? [] : this.causesOfRefusal(refused)),
      causedBy(mapping, mappingText(mapping)),
      ...(mapc === undefined ? [] : [causedBy(mapc, `maps collection ${ICID} to PE${mapc.operands.RDbase}`)]),
    ];
  }

  /** A MOVI that failed, and the last MAPC of the collection that it names. */
  private causesOfRefusal(command: ExecutedCommand): Cause[] {
    const { ICID } = command.operands;
    const mapc = this.g.commands.last(
      command.record,
      ({ name, its, operands }) => name === 'MAPC' && its === command.its && operands.ICID === ICID,
    );
    return [
      ...(mapc === undefined
        ? []
        : [causedBy(mapc, `is the last MAPC of collection ${ICID} (V ${mapc.operands.V})`)]),
      causedBy(command, `did not move the event to collection ${ICID} (${command.outcome})`),
    ];
  }

  /** A change of the configuration byte of an LPI after which no INV or INVALL came. */
  notInvalidated(intid: number, at: number): Cause | undefined {
    const record = this.g.lastWrite(writeKey(CONFIG_WRITES, 0, intid), at);
    if (record < 0) return undefined;
    const inv = this.g.commands.next(
      record,
      ({ name, operands }) =>
        name === 'INVALL' ||
        (name === 'INV' && this.g.events.has(`${operands.DeviceID} ${operands.EventID}`)),
    );
    if (inv !== undefined && inv.record <= at) return undefined;
    return {
      record,
      also: NO_RECORDS,
      what: `writes its configuration byte, and no INV or INVALL follows${inv === undefined ? '' : ` until record ${inv.record}`}`,
      missing: undefined,
    };
  }

  /** Whether a command says where the messages of an LPI go. */
  private maps({ name, operands, refused }: ExecutedCommand, intid: number): boolean {
    if (refused) return false;
    if (name === 'MAPTI' || name === 'MAPI')
      return (name === 'MAPTI' ? operands.pINTID : operands.EventID) === intid;
    if (name === 'MOVI') return this.g.events.has(`${operands.DeviceID} ${operands.EventID}`);
    return false;
  }
}

function mappingText({ name, operands }: ExecutedCommand): string {
  return name === 'MOVI'
    ? `moves the event to collection ${operands.ICID}`
    : `maps DeviceID 0x${operands.DeviceID!.toString(16)} EventID 0x${operands.EventID!.toString(16)} to it in collection ${operands.ICID}`;
}
