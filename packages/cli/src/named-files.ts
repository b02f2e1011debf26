// The files that a command line names and that are not its outputs: inputs, whatever option they belong to.
const OUTPUTS = ['-o', '--output', '--report', '--junit'];
/** Options whose values are names of other things, which an output may have as well (`--to vcd -o vcd`). */
const NO_FILES = ['--to', '--emit', '--on', '--plant', '--profile', '--start', '--of', '--gic', '--label'];

/**
 * Words that may be names of files: arguments after the verb and the format, values of options that name no output, and the
 * parts of words such as `file=disk.img,if=none`.
 */
export function namedFiles([, ...args]: readonly string[]): string[] {
  const skipped = [...OUTPUTS, ...NO_FILES];
  const named: string[] = [];
  for (let k = 0; k < args.length; k++) {
    const word = args[k]!;
    if (skipped.includes(word)) k++;
    else if (skipped.some((option) => word.startsWith(`${option}=`)) || /^-o./.test(word)) continue;
    else if (k > 0 || !/^(qemu|ftrace|jsonl|kvm|check|update)$/.test(word))
      named.push(word, ...word.split(/[=,:]/).filter((part) => part !== '' && part !== word));
  }
  return named;
}
