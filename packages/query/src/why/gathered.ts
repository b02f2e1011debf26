// What one pass over a trace collects for a question (see gather.ts), and how its tracks are called. It knows no model.
import type { Condition, Gate, VirtualGate } from '@gictrace/core/model';
import { isPrivate, LPI_FIRST } from '@gictrace/core/spec';
import type { Lifetime } from '../timeline/lifetimes.ts';
import type { Moment } from '../timeline/moment.ts';

/** An interval in which one reason kept an interrupt from being signalled, or in which it was signalled. */
export interface Hold {
  readonly gate: Gate | VirtualGate;
  readonly pe: number;
  /** The stimulus after which the interval begins. */
  readonly from: Moment;
  /** The stimulus with which it ends; undefined if it lasts to the end of the trace. */
  to: Moment | undefined;
  /** The interrupt that the PE handled when it began, and the record of its acknowledge. */
  readonly handled: Handled | undefined;
  /** The highest-priority pending interrupt of the PE, and since which stimulus; for the gate `behind`. */
  readonly ahead: Handled | undefined;
}
export interface Handled {
  readonly intid: number;
  readonly since: number;
}
/** An interrupt that a PE handles. */
export interface Running extends Handled {
  /** When the PE read ICC_IAR again without having ended it, and got no interrupt; -1 if it did not. */
  readAgain: number;
}

/** A lifetime of an interrupt, with what each GIC knows of it. */
export interface AnyStory {
  readonly lifetime: Lifetime;
}

/** What one pass over a trace of any GIC collects. */
export interface Gathering<S extends AnyStory = AnyStory> {
  readonly stories: readonly S[];
  readonly messages: readonly Message[];
  readonly disagreements: readonly Disagreement[];
  /** The interrupts asked about. */
  readonly intids: ReadonlySet<number>;
  /** Records of the trace. */
  records: number;
}

/** A lifetime of an interrupt with what blocked it. */
export interface Story extends AnyStory {
  readonly holds: Hold[];
  /** The place of the command that withdrew it; -1 if none did. */
  withdrawnBy: number;
  /** Its handling by the PE, from the acknowledge on. */
  running: { readonly readAgain: number } | undefined;
  /** For a virtual interrupt: its virtual pending table; -1 if it is in a list register. */
  readonly virtual: { readonly table: number } | undefined;
  /** For a virtual interrupt: the doorbell that was rung for it, and when. */
  doorbell: Handled | undefined;
}

/** A message of a device. */
export interface Message extends Moment {
  readonly its: number;
  readonly device: number;
  readonly event: number;
  /** `pended`, `coalesced`, `virtual`, `undecided`, or why it was dropped. */
  outcome: string;
  /** The LPI or vINTID; -1 if it was not translated. */
  intid: number;
  pe: number;
}

/** A write that generated SGIs. */
export interface SgiWrite extends Moment {
  readonly intid: number;
  /** The PE that wrote; -1 if unknown. */
  readonly from: number;
  readonly register: number;
  readonly reached: number[];
}

/** An acknowledge on which source and simulator disagree. */
export interface Disagreement extends Moment {
  readonly pe: number;
  readonly intid: number;
  /** What the simulator acknowledged instead; 1023 if nothing. */
  readonly simulator: number;
}

/** Whether an interrupt is shared by all PEs: an SPI. */
export const isShared = (intid: number): boolean => intid < LPI_FIRST && !isPrivate(intid);
/** Conditions that the Distributor has for an SPI, whichever PE it goes to. */
const OF_THE_DISTRIBUTOR: ReadonlySet<Condition> = new Set([
  'enabled',
  'active',
  'route',
  'group',
  'priority',
  'forwarded',
] as const);
/** The track of a condition. */
export const trackOf = (what: Condition, intid: number, pe: number): string =>
  isShared(intid) && OF_THE_DISTRIBUTOR.has(what) ? `${what} ${intid}` : `${what} ${intid} ${pe}`;
export const registerTrack = (unit: string, instance: number, register: number): string =>
  `${unit} ${instance} ${register}`;

/** The track of changes of an ITS's table of a type, as in GITS_BASER<n>.Type. */
export const tableTrack = (type: number, its: number): string => `table ${type} ${its}`;

/** In place of a frame: the registers of a CPU interface (by PE and encoding), and configuration bytes (by LPI). */
export const ICC_WRITES = 8;
export const CONFIG_WRITES = 9;
/** The key of the writes to a register: of a frame by its place in FRAMES, an instance and a byte offset. */
export const writeKey = (frame: number, instance: number, offset: number): number =>
  (frame * 1024 + instance) * 2 ** 24 + offset - (frame < ICC_WRITES ? offset & 3 : 0);

/** Whether a trace may end before what began at a record of it is completed. */
export const isNearEnd = ({ record }: Moment, records: number): boolean =>
  records - record < Math.min(500, records / 20);

/** What became of a message that was translated: it made its interrupt pending, or that was pending already. */
const TRANSLATED: ReadonlySet<string> = new Set(['pended', 'coalesced', 'virtual']);
/** What became of a message is not in the source. */
const UNDECIDED: ReadonlySet<string> = new Set(['undecided', 'unknown']);
export const isTranslated = ({ outcome }: Message): boolean => TRANSLATED.has(outcome);
export const isUndecided = ({ outcome }: Message): boolean => UNDECIDED.has(outcome);

/** Whether a lifetime concerns a PE (any, if undefined): it is one of it, may be one, or it waited there. */
export const concernsPe = (
  { lifetime }: AnyStory,
  waits: readonly { readonly pe: number | null }[],
  pe: number | undefined,
): boolean => pe === undefined || lifetime.pe === pe || lifetime.pe < 0 || waits.some((one) => one.pe === pe);

/** A PE in a text that says what it did. */
export const peText = (pe: number): string => (pe < 0 ? 'a PE that the source does not name' : `PE${pe}`);
/** A PE in a text that says what is its own. */
export const ofPe = (pe: number): string => (pe < 0 ? 'its PE' : `PE${pe}`);

/** A lifetime that begins. */
export function newStory(lifetime: Lifetime): Story {
  return {
    lifetime,
    holds: [],
    withdrawnBy: -1,
    running: undefined,
    virtual: undefined,
    doorbell: undefined,
  };
}
