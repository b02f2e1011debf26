// `expect(trace).toMatchGolden(golden)` for vitest. It has a subpath of its own (`gictrace/vitest`), so that only tests
// load it. `vitest -u` updates golden traces; if `CI` is set, nothing is written.
import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import { diffText } from '../verbs/diff-text.ts';
import type { CaseOptions } from './cases.ts';
import { judge, writeGolden } from './run.ts';

export interface GoldenOptions extends Pick<CaseOptions, 'ignore' | 'rename'> {
  /** A file of rules that say what may differ, each with its reason. */
  readonly rules?: string;
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: as vitest declares it
  interface Matchers<T = any> {
    /**
     * Compares a trace, given by its path, with a golden trace after aligning them, as `gictrace golden check` does.
     * The text of the golden trace `NAME.gictrace` is kept beside it as `NAME.txt`.
     */
    toMatchGolden: (golden: string, options?: GoldenOptions) => T;
  }
}

const TRACE = /\.gictrace$/;
/** Lines of a difference that a test prints. */
const LINES = 40;

expect.extend({
  toMatchGolden(received: unknown, golden: string, options: GoldenOptions = {}) {
    const say = (pass: boolean, message: string) => ({ pass, message: () => message });
    if (typeof received !== 'string') return say(false, 'toMatchGolden takes the path of a trace');
    if (!TRACE.test(golden))
      return say(false, `'${golden}' is not a name for a golden trace: use NAME.gictrace`);
    const text = golden.replace(TRACE, '.txt');
    const { rules, ...rest } = options;
    const update = this.snapshotState.snapshotUpdateState;
    const write = () => {
      writeGolden(received, golden, text);
      return say(true, `${golden} was written`);
    };
    const isThere = existsSync(golden) && existsSync(text);
    if (!isThere && update !== 'none') return write();
    const judged = judge(
      {
        name: golden,
        input: received,
        kind: 'recording',
        options: rest,
        rules,
        trace: golden,
        text,
        place: golden,
      },
      received,
    );
    if (judged.status === 'same') return say(true, `${received} is the same as ${golden}`);
    if (update === 'all' && !this.isNot) return write();
    const differences = judged.diff === null ? [] : [...diffText(judged.diff)].slice(0, LINES);
    return say(
      false,
      [`${received} against ${golden}: ${judged.status}: ${judged.message}`, ...differences].join('\n'),
    );
  },
});
