// Which words of a command line name files: outputs, and inputs, which are never written. Every option that takes a value is
// in one of these lists; a test goes through the options of all verbs.

/** Options whose value is a file that is written. */
export const OUTPUT_OPTIONS: readonly string[] = ['-o', '--output', '--report', '--junit', '--parquet'];
/** Options whose value is a file that is read, or may contain the name of one. */
export const INPUT_OPTIONS: readonly string[] = [
  '--like',
  '--rules',
  '--cost-model',
  '--command',
  '--keep',
  '--names',
];
/** Options whose value is a number, or a name of something else, which an output may have as well (`--to vcd -o vcd`). */
export const OTHER_OPTIONS: readonly string[] = [
  ...[
    '--to',
    '--emit',
    '--on',
    '--plant',
    '--profile',
    '--start',
    '--of',
    '--gic',
    '--label',
    '--vm',
    '--kind',
  ],
  ...['--rule', '--ignore', '--allow', '--module', '--sql', '--ddl', '--graph', '--why', '--mutate'],
  ...['--pes', '--priority-bits', '--gicd', '--gicr', '--gicr-stride', '--gits', '--buffer-kib', '--batch'],
  ...['--timeout', '--at', '--watch', '--intid', '--device', '--event', '--vintid', '--vpe', '--pe'],
  ...['--in-flight', '--trace', '--from', '--exit', '--tests', '--jobs', '--threads'],
  ...['--seed', '--seeds', '--steps', '--security', '--wild'],
];
/** Options of these lists that take no value in one of the verbs: what follows them there is an argument. */
export const WITHOUT_VALUE: Readonly<Record<string, readonly string[]>> = { report: ['--sql'] };
/** Arguments after the verb that name no file: formats, and what `golden` does. */
const NO_FILES = /^(qemu|ftrace|jsonl|kvm|check|update|review)$/;
const isOf = (options: readonly string[], word: string) =>
  options.some((option) => option.startsWith('--') && word.startsWith(`${option}=`));

/** Whether a command line may write a file. */
export function mayWrite(args: readonly string[]): boolean {
  return (
    args[0] === 'golden' ||
    args.some(
      (word) =>
        // An export to a dataset names its folder as an argument.
        word === '--to' ||
        word.startsWith('--to=') ||
        /^-o./.test(word) ||
        OUTPUT_OPTIONS.includes(word) ||
        isOf(OUTPUT_OPTIONS, word),
    )
  );
}

/** The names of files that a word may contain: `file=disk.img,if=none`, or the program of `exec:./my-gic --verbose`. */
const partsOf = (word: string) => [
  word,
  ...word.split(/[\s'"=,:]+/).filter((part) => part !== '' && part !== word),
];

/** Words that may be names of files that are read: arguments after the verb, and values of options that name no output. */
export function namedFiles([verb = '', ...args]: readonly string[]): string[] {
  const flags = WITHOUT_VALUE[verb] ?? [];
  const skipped = [...OUTPUT_OPTIONS, ...OTHER_OPTIONS].filter((option) => !flags.includes(option));
  const end = args.indexOf('--');
  const named: string[] = [];
  for (let k = 0; k < args.length; k++) {
    const word = args[k]!;
    // Behind --, options are those of another program.
    const isOwn = end < 0 || k < end;
    if (isOwn && skipped.includes(word)) {
      const value = args[++k];
      if (word === '--on' && value?.includes(':')) named.push(...partsOf(value));
    } else if (isOwn && (isOf(skipped, word) || /^-o./.test(word))) {
      if (word.startsWith('--on=') && word.includes(':')) named.push(...partsOf(word));
    } else if (k > 0 || !NO_FILES.test(word)) named.push(...partsOf(word));
  }
  return named;
}
