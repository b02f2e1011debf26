// A session of `gictrace step`: takes command lines and prints where the time machine stands. It knows nothing of terminals.
import { checkIntidOf, didYouMean, GicTraceError } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import {
  isAbout,
  isObservable,
  KIND,
  RECORD_WORDS,
  RECORDS,
  type RecordBatch,
  recordName,
} from '@gictrace/core/record';
import { anyIntidText, commandName, INTID_FORM, ITS_COMMANDS, intidNamed } from '@gictrace/core/spec';
import type { Fits, Stop, TimeMachine } from '@gictrace/query';

export const HELP = `next [N]          run the next stimulus, or the next N
back [N]          go back one stimulus, or N
go RECORD         go to the last stimulus up to a record
find WHAT VALUE   go to the next stimulus that concerns an intid, pe, device, command or kind, or that makes the watched
                  interrupt wait for another reason (find gate)
rfind WHAT VALUE  the same, backwards
watch INTID [PE]  show what blocks this interrupt at each stop; watch off
show              show the stop again
help, quit        an empty line repeats the last command
`;
/** Lines about one stimulus: what follows is only counted. */
const LINES_MAX = 24;

export interface StepOutput {
  write(text: string): void;
  note(text: string): void;
}

export class StepSession {
  /** Whether a command could not be carried out. */
  failed = false;
  private readonly time: TimeMachine;
  private readonly out: StepOutput;
  private readonly records: number;
  private watched: { intid: number; pe: number } | undefined;
  private last = 'next';

  constructor(time: TimeMachine, records: number, out: StepOutput) {
    this.time = time;
    this.records = records;
    this.out = out;
  }

  /** Takes a line. Returns false if the session ends. A mistake of the user is reported, and the session continues. */
  take(line: string): boolean {
    const text = line.trim() === '' ? this.last : line.trim();
    const [verb = '', ...words] = text.split(/\s+/);
    if (/^(q|quit|exit)$/.test(verb)) return false;
    this.last = text;
    try {
      this.obey(verb, words);
    } catch (error) {
      // What is wrong with the trace is no mistake of the user, and nothing that follows could be answered.
      if (!(error instanceof GicTraceError) || error.code !== 'usage') throw error;
      this.failed = true;
      this.out.note(error.line);
    }
    return true;
  }

  private obey(verb: string, words: readonly string[]): void {
    switch (verb) {
      case 'n':
      case 'next':
        return this.times(words[0], () => this.time.forward());
      case 'b':
      case 'back':
        return this.times(words[0], () => this.time.back());
      case 'g':
      case 'go':
        return this.arrive(
          this.time.seek(this.number(words[0], 'go', this.records - 1)),
          'no stimulus there',
        );
      case 'f':
      case 'find':
        return this.search(words, (fits) => this.time.forward(fits), 'no such stimulus follows');
      case 'r':
      case 'rfind':
        return this.search(words, (fits) => this.time.back(fits), 'no such stimulus precedes');
      case 'w':
      case 'watch':
        return this.watch(words);
      case 's':
      case 'show':
        return this.arrive(this.time.now, 'no stimulus has run yet');
      case 'h':
      case 'help':
        this.out.write(HELP);
        return;
      default:
        throw new GicTraceError('usage', `step has no command '${verb}'`, {}, 'help');
    }
  }

  /** Goes to a stimulus that fits; without one, stays. */
  private search(words: readonly string[], move: (fits: Fits) => Stop | undefined, otherwise: string): void {
    const here = this.time.now?.record ?? -1;
    const found = move(this.fits(words));
    if (found === undefined) this.time.seek(here);
    this.arrive(found, otherwise);
  }

  private times(count: string | undefined, move: () => Stop | undefined): void {
    let stop: Stop | undefined;
    for (let n = count === undefined ? 1 : this.number(count, 'next and back', this.records); n > 0; n--) {
      stop = move();
      if (stop === undefined) break;
    }
    this.arrive(stop, 'the trace has no more stimuli there');
  }

  private number(text: string | undefined, what: string, high: number): number {
    const n = Number(text);
    if (text === undefined || !/^(\d+|0x[\da-f]+)$/i.test(text) || n > high)
      throw new GicTraceError('usage', `${what} takes a whole number from 0 to ${high}, not '${text ?? ''}'`);
    return n;
  }

  /** The INTID with which words begin, and the words after it: an INTID of a GICv5 may be two (`PPI 27`). */
  private intid(
    words: readonly string[],
    what: string,
  ): { readonly intid: number; readonly rest: readonly string[] } {
    for (const count of [1, 2]) {
      const intid = intidNamed(words.slice(0, count).join(' '));
      if (intid === undefined) continue;
      checkIntidOf(this.time.simulator.architecture, intid);
      return { intid, rest: words.slice(count) };
    }
    throw new GicTraceError('usage', `${what} takes ${INTID_FORM}, not '${words.join(' ')}'`);
  }

  /** Sets the watched interrupt, and prints what blocks it now. */
  watch(words: readonly string[]): void {
    if (words[0] === 'off') this.watched = undefined;
    else {
      const { intid, rest } = this.intid(words, 'watch');
      if (rest.length > 1)
        throw new GicTraceError('usage', 'watch takes an INTID and a PE', {}, 'watch 27 1');
      const { peCount } = this.time.simulator;
      const pe = rest[0] === undefined ? -1 : this.number(rest[0], 'the PE of watch', peCount - 1);
      this.watched = { intid, pe };
      this.out.write(`${this.gates().join('\n')}\n`);
    }
  }

  private fits([what, ...words]: readonly string[]): Fits {
    const { intid, rest } = what === 'intid' ? this.intid(words, 'find intid') : { rest: words.slice(1) };
    if (rest.length > 0)
      throw new GicTraceError('usage', 'find takes one thing and one value', {}, 'find intid 27');
    const [value] = words;
    const named = (identifier: 'INTID' | 'vINTID' | 'DeviceID', n: number) => (stop: Stop) =>
      anyRecord(stop, (batch, i) => isAbout(batch, i, identifier, n));
    if (intid !== undefined) {
      const [physical, virtual] = [named('INTID', intid), named('vINTID', intid)];
      return (stop) => physical(stop) || virtual(stop);
    }
    switch (what) {
      case 'device':
        return named('DeviceID', this.number(value, 'find device', 2 ** 32 - 1));
      case 'pe': {
        const pe = this.number(value, 'find pe', this.time.simulator.peCount - 1);
        return (stop) => anyRecord(stop, (batch, i) => batch.pe[i] === pe);
      }
      case 'command': {
        const name = (value ?? '').toUpperCase();
        if (!Object.hasOwn(ITS_COMMANDS, name))
          throw new GicTraceError(
            'usage',
            `there is no ITS command '${value ?? ''}'`,
            {},
            Object.keys(ITS_COMMANDS).join(', '),
          );
        return ({ emitted }) => {
          for (let i = 0; i < emitted.count; i++)
            if (
              emitted.kind[i] === KIND['its.command'] &&
              commandName(emitted.words[i * RECORD_WORDS + 4]!) === name
            )
              return true;
          return false;
        };
      }
      case 'kind':
        if (value === undefined || !Object.hasOwn(RECORDS, value))
          throw new GicTraceError(
            'usage',
            `there is no record kind '${value ?? ''}'`,
            {},
            didYouMean(value ?? '', Object.keys(RECORDS)).trim() || 'such as mmio.write, msi.write or hppi',
          );
        return (stop) => anyRecord(stop, (batch, i) => recordName(batch.kind[i]!) === value);
      case 'gate': {
        if (this.watched === undefined)
          throw new GicTraceError('usage', 'find gate needs a watched interrupt', {}, 'watch 27 1');
        const before = this.gates().join();
        return () => this.gates().join() !== before;
      }
      default:
        throw new GicTraceError(
          'usage',
          `find takes intid, pe, device, command, kind or gate, not '${what ?? ''}'`,
        );
    }
  }

  /** What blocks the watched interrupt, for its PE or for each. */
  private gates(): string[] {
    const { watched } = this;
    if (watched === undefined) return [];
    const { simulator } = this.time;
    const pes = watched.pe >= 0 ? [watched.pe] : Array.from({ length: simulator.peCount }, (_, pe) => pe);
    const lines = pes.map((pe) => {
      const gate = simulator.gateOf(pe, watched.intid);
      return `watch: ${anyIntidText(watched.intid)} PE${pe}: ${gate === 'unknown' ? 'not pending' : gate}`;
    });
    // For an SPI, every PE has the same answer.
    return [
      ...(new Set(lines.map((line) => line.replace(/ PE\d+/, ''))).size === 1 ? lines.slice(0, 1) : lines),
    ];
  }

  private arrive(stop: Stop | undefined, otherwise: string): void {
    if (stop === undefined) {
      this.out.write(`${otherwise}\n`);
      return;
    }
    const { stimulus, emitted, record } = stop;
    const lines = [recordText(stimulus, 0, record)];
    const line = stimulus.line[0]!;
    if (line > 0) lines[0] += ` [line ${line}]`;
    for (let i = 0; i < Math.min(emitted.count, LINES_MAX); i++)
      lines.push(
        `  ${isObservable(emitted.kind[i]!) ? '>' : '~'} ${recordText(emitted, i).replace(/^\S+ /, '')}`,
      );
    if (emitted.count > LINES_MAX) lines.push(`  … and ${emitted.count - LINES_MAX} more`);
    lines.push(`  signalled: ${this.signalled()}`, ...this.gates().map((text) => `  ${text}`));
    this.out.write(`${lines.join('\n')}\n`);
  }

  /** What each PE is signalled. */
  private signalled(): string {
    const { simulator } = this.time;
    const parts: string[] = [];
    for (let pe = 0; pe < simulator.peCount; pe++) {
      const text = simulator.signalled(pe);
      if (text !== undefined) parts.push(`PE${pe} ${text}`);
    }
    return parts.length === 0 ? 'nothing' : parts.join(', ');
  }
}

function anyRecord({ stimulus, emitted }: Stop, fits: (batch: RecordBatch, i: number) => boolean): boolean {
  if (fits(stimulus, 0)) return true;
  for (let i = 0; i < emitted.count; i++) if (fits(emitted, i)) return true;
  return false;
}
