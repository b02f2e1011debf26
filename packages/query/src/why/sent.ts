// What was sent to the interrupts of a question: the messages of devices with what became of each, and the writes that
// generate SGIs with the PEs that they reached. It knows no model.
import { DROP_REASONS, KIND, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { LPI_FIRST, SYSREGS } from '@gictrace/core/spec';
import type { Moment } from '../timeline/moment.ts';
import type { Message, SgiWrite } from './gathered.ts';
import type { Question } from './question.ts';

export const SGI_REGISTERS: ReadonlySet<number> = new Set(
  [SYSREGS.ICC_SGI1R_EL1, SYSREGS.ICC_ASGI1R_EL1, SYSREGS.ICC_SGI0R_EL1].map(({ encoding }) => encoding),
);
const SGI_INTID_SHIFT = 24;
const MESSAGES_MAX = 200_000;
/** Why a message would have been dropped, by the end of the error of an INT command. */
const DROPPED_BY: readonly (readonly [string, string])[] = [
  ['UNMAPPED_DEVICE', 'device-unmapped'],
  ['DEVICE_OOR', 'deviceid-out-of-range'],
  ['ID_OOR', 'eventid-out-of-range'],
  ['UNMAPPED_INTERRUPT', 'event-unmapped'],
  ['UNMAPPED_COLLECTION', 'collection-unmapped'],
];

export class Sent {
  readonly messages: Message[] = [];
  readonly sgis: SgiWrite[] = [];
  private readonly question: Question;
  private readonly intids: ReadonlySet<number>;
  private now: Moment = { record: -1, timeNs: Number.NaN };
  /** What the stimulus sends. */
  private current: Message | undefined;
  private sgiWrite: SgiWrite | undefined;

  /** `intids` are the physical interrupts of the question, to which some may be added. */
  constructor(question: Question, intids: ReadonlySet<number>) {
    this.question = question;
    this.intids = intids;
  }

  /** A stimulus begins. */
  begin(now: Moment): void {
    this.now = now;
    this.current = undefined;
    this.sgiWrite = undefined;
  }

  /** The stimulus is a message. */
  message(batch: RecordBatch, at: number): void {
    const w = batch.words;
    const [its, device, event] = [w[at]!, w[at + 1]!, w[at + 2]!];
    if (!this.concerns(device, event) || this.messages.length >= MESSAGES_MAX) return;
    this.current = { ...this.now, its, device, event, outcome: 'unknown', intid: -1, pe: -1 };
    this.messages.push(this.current);
  }

  /** Whether messages of this event belong to the question. */
  private concerns(device: number, event: number): boolean {
    const { question } = this;
    if (question.device !== undefined)
      return device === question.device && (question.event === undefined || event === question.event);
    return (question.intid ?? question.vintid ?? 0) >= LPI_FIRST;
  }

  /** The stimulus is a write that generates SGIs. */
  sgi(batch: RecordBatch, i: number): void {
    const w = batch.words;
    const at = i * RECORD_WORDS;
    const intid = (w[at + 1]! >>> SGI_INTID_SHIFT) & 15;
    if (!this.intids.has(intid)) return;
    this.sgiWrite = { ...this.now, intid, from: batch.pe[i]!, register: w[at]!, reached: [] };
    this.sgis.push(this.sgiWrite);
  }

  /** An SGI has reached a PE. */
  reached(intid: number, pe: number): void {
    if (this.sgiWrite?.intid === intid) this.sgiWrite.reached.push(pe);
  }

  /** An LPI has become pending. */
  pended(intid: number): void {
    if (this.current?.intid === intid) this.current.outcome = 'pended';
  }

  /** An event of what the stimulus caused, which may say what became of the message. */
  translated(records: RecordBatch, i: number, kind: number): void {
    const message = this.current;
    if (message === undefined) return;
    const w = records.words;
    const at = i * RECORD_WORDS;
    if (kind === KIND['msi.translated'] || kind === KIND['vmsi.translated']) {
      message.intid = w[at + 3]!;
      message.pe = records.pe[i]!;
      message.outcome = kind === KIND['msi.translated'] ? 'coalesced' : 'virtual';
    } else if (kind === KIND['msi.dropped']) message.outcome = DROP_REASONS[w[at + 3]!]!;
    else if (kind === KIND['msi.undecided']) message.outcome = 'undecided';
  }

  /** An INT command failed. */
  failed(its: number, device: number, event: number, outcome: string): void {
    if (!this.concerns(device, event)) return;
    this.messages.push({
      ...this.now,
      its,
      device,
      event,
      outcome: DROPPED_BY.find(([end]) => outcome.endsWith(end))?.[1] ?? 'undecided',
      intid: -1,
      pe: -1,
    });
  }
}
