// Determines what both traces have of a kind of record. If only one of them has all of it, records are aligned by what
// both have; a pair of which both have more than that is examined again.
import { COMMAND_WORDS, commandMask, RECORD_WORDS, SIGNALS } from '@gictrace/core/record';
import { Hash64 } from './hash.ts';
import { type Command, MARKS, type Side } from './side.ts';

/** How the records of one signal are aligned. */
export type LinesMode =
  /** Whole. */
  | 'whole'
  /** Without the interrupt lines, which are always missing from one of the traces. */
  | 'never'
  /** Without the interrupt lines, which are sometimes missing from one of the traces. Repeats are kept. */
  | 'sometimes';

/** By signal (`SIGNALS`): how its records are aligned. */
export function linesModes(a: Side, b: Side): LinesMode[] {
  return SIGNALS.map((_, signal) => {
    const [inA, inB] = [a.lines[signal]!, b.lines[signal]!];
    if (!inA.notShown && !inB.notShown) return 'whole';
    const never = (one: typeof inA) => one.notShown && !one.shown;
    return never(inA) || never(inB) ? 'never' : 'sometimes';
  });
}

/** By opcode: the operands that all commands of both traces have, and whether all have their outcome. */
class Common {
  private readonly shown = new Map<number, { operands: number; outcome: boolean }>();

  add({ words, shown, isOutcomeShown }: Command): void {
    const opcode = words[COMMAND_WORDS.doublewords]! & 0xff;
    const known = this.shown.get(opcode);
    if (known === undefined) this.shown.set(opcode, { operands: shown, outcome: isOutcomeShown });
    else {
      known.operands = (known.operands & shown) >>> 0;
      known.outcome &&= isOutcomeShown;
    }
  }

  of({ words }: Command): { readonly operands: number; readonly outcome: boolean } {
    return this.shown.get(words[COMMAND_WORDS.doublewords]! & 0xff)!;
  }
}

/** Gives the commands of both sides, before they are compacted, the hashes by which they are aligned. */
export function hashCommands(a: Side, b: Side): void {
  const common = new Common();
  for (const side of [a, b]) for (const command of side.commands) common.add(command);
  const mask = new Uint32Array(RECORD_WORDS);
  const hash = new Hash64();
  for (const side of [a, b])
    for (const command of side.commands) {
      const { place, words, shown, isOutcomeShown } = command;
      const { operands, outcome } = common.of(command);
      commandMask(mask, words[COMMAND_WORDS.doublewords]!, operands, outcome);
      hash.start(side.kind[place]!);
      for (let k = 0; k < RECORD_WORDS; k++) hash.add((words[k]! & mask[k]!) >>> 0);
      hash.finish();
      side.lo[place] = hash.lo;
      side.hi[place] = hash.hi;
      if (shown !== operands || isOutcomeShown !== outcome)
        side.marks[place] = side.marks[place]! | MARKS.more;
    }
}
