// The user's QEMU command line: the options that matter to a recording (RAM, monitors), and the options that are added so
// that the guest's RAM can be read and QEMU can be controlled. Nothing is started here.
import { GicTraceError } from '@gictrace/core';

/** The name of the memory backend that is added, if it is unknown how QEMU would name it. */
const OUR_RAM = 'gictrace-ram';
const MIB = 2 ** 20;
/**
 * By the beginning of a machine's name: the size of RAM without -m, and the name of QEMU's own backend, which saved states
 * use for the RAM.
 */
const DEFAULT_RAM: readonly (readonly [string, number, string])[] = [
  ['virt', 128 * MIB, 'mach-virt.ram'],
  ['sbsa-ref', 1024 * MIB, 'sbsa-ref.ram'],
];
const UNITS = 'bkmgtpe';
const TIMES = ['-msg', 'timestamp=on'];
/** QEMU rounds a machine's RAM up to a multiple of this. */
const RAM_STEP = 8192;

/** A memory backend that another process can read. */
export interface SharedBackend {
  readonly id: string;
  /** The path of its file; `undefined` for a memfd of QEMU. */
  readonly path: string | undefined;
  /** Size in bytes, if the command line contains it. */
  readonly size: number | undefined;
}

/** An option's name without dashes, and its value, or '' if the next word is an option too. */
interface Option {
  readonly name: string;
  readonly value: string;
}

function optionsOf(args: readonly string[]): Option[] {
  const found: Option[] = [];
  for (let i = 0; i < args.length; i++) {
    const name = /^--?([A-Za-z].*)$/.exec(args[i]!)?.[1];
    if (name === undefined) continue;
    const next = args[i + 1];
    // A kernel's command line may begin with a dash; other values do not.
    const hasValue = next !== undefined && (name === 'append' || !next.startsWith('-'));
    found.push({ name, value: hasValue ? next : '' });
    if (name === 'append') i++;
  }
  return found;
}

/** `a,b=c,,d` as a map: `a` under `implied`, `b` → `c,d`. */
function properties(text: string, implied: string): Map<string, string> {
  const found = new Map<string, string>();
  if (text.startsWith('{')) {
    try {
      for (const [key, value] of Object.entries(JSON.parse(text) as Record<string, unknown>))
        found.set(key === 'qom-type' ? implied : key, value === true ? 'on' : String(value));
    } catch {
      // QEMU will report what is wrong with it.
    }
    return found;
  }
  text
    .split(/,(?!,)(?<!,,)/)
    .map((part) => part.replaceAll(',,', ','))
    .forEach((part, index) => {
      const at = part.indexOf('=');
      if (at >= 0) found.set(part.slice(0, at), part.slice(at + 1));
      else found.set(index === 0 ? implied : part, index === 0 ? part : 'on');
    });
  return found;
}

/** Converts a size in QEMU's syntax to bytes; a plain number counts MiB. `undefined` if it is not a size. */
export function sizeOf(text: string, unit = 'm'): number | undefined {
  const [, number, suffix] = /^(0x[0-9a-f]+|\d+(?:\.\d+)?)([bkmgtpe]?)$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Math.floor(Number(number) * 1024 ** UNITS.indexOf((suffix || unit).toLowerCase()));
}

export interface Plan {
  /** The options that are appended to the user's arguments, except those for the log. */
  readonly added: readonly string[];
  /** The backends from which the guest's RAM can be read. */
  readonly backends: readonly SharedBackend[];
  /** Why guest memory cannot be read, if it cannot. */
  readonly reason: string | undefined;
  /** Whether QEMU loads the state of a machine that has been running. */
  readonly loads: boolean;
  /** Whether the user wants QEMU to wait before the guest starts (-S). */
  readonly waits: boolean;
}

const usage = (what: string, hint: string) => new GicTraceError('usage', what, {}, hint);

/** @throws GicTraceError `usage` for a command that cannot be recorded. */
export function checked(command: readonly string[]): void {
  if (command.length === 0)
    throw usage(
      'there is no QEMU command',
      'say: gictrace record qemu -o TRACE -- qemu-system-aarch64 -M virt,gic-version=3 …',
    );
  const names = new Set(optionsOf(command.slice(1)).map(({ name }) => name));
  if (names.has('D'))
    throw usage('the QEMU command says -D, and its log is what is recorded', 'leave -D out');
  if (names.has('daemonize'))
    throw usage('a QEMU that goes to the background cannot be watched', 'leave -daemonize out');
}

/** Whether the machine has a GICv5. Of several options, QEMU takes the last. */
export function hasGicv5(args: readonly string[]): boolean {
  const machines = optionsOf(args).filter(({ name }) => name === 'M' || name === 'machine');
  const versions = machines.flatMap(({ value }) => properties(value, 'type').get('gic-version') ?? []);
  return /^(?:x-)?5$/.test(versions.at(-1) ?? '');
}

/**
 * What to add to a QEMU's arguments so that it logs what its GIC does, and when. The events of a GICv5 name no PE, but the
 * lines of exceptions do; they are added unless the user has log items (-d), which ours would replace. `note` is called with
 * a line about that.
 */
export function logOptions(args: readonly string[], note: (text: string) => void): readonly string[] {
  if (!hasGicv5(args)) return [...TIMES, '-trace', 'gicv3_*', '-trace', 'memory_region_ops_*'];
  const events = [...TIMES, '-trace', 'gicv5_*'];
  if (!optionsOf(args).some(({ name }) => name === 'd')) return [...events, '-d', 'int'];
  note('the QEMU command has -d: if that does not include int, PEs that only exceptions name stay undecided');
  return events;
}

/** What to add to a QEMU's arguments: a QMP monitor on the socket `qmp` and, if `memory` is wanted, RAM that can be read. */
export function plan(args: readonly string[], qmp: string, memory: boolean): Plan {
  const options = optionsOf(args);
  const has = (...names: string[]) => options.some(({ name }) => names.includes(name));
  const added: string[] = [];
  if (!has('nodefaults', 'monitor', 'mon', 'qmp', 'qmp-pretty')) {
    // An explicit monitor removes QEMU's default monitor, so that one is requested explicitly too, at its usual place.
    if (!has('nographic')) added.push('-monitor', 'vc:80Cx24C');
    else if (has('serial')) added.push('-monitor', 'stdio');
    else added.push('-serial', 'mon:stdio');
  }
  added.push('-qmp', `unix:${qmp.replaceAll(',', ',,')},server=on,wait=off`);
  const ram = memory ? ramOf(options) : { added: [], backends: [], reason: undefined };
  return { ...ram, added: [...added, ...ram.added], loads: has('incoming', 'loadvm'), waits: has('S') };
}

function ramOf(options: readonly Option[]): Pick<Plan, 'added' | 'backends' | 'reason'> {
  const no = (reason: string) => ({ added: [], backends: [], reason });
  const values = (...names: string[]) =>
    options.filter(({ name }) => names.includes(name)).map(({ value }) => value);
  if (values('readconfig').length > 0) return no('what -readconfig says of memory is not looked at');
  if (values('mem-path').length > 0) return no('-mem-path is not shared memory');
  const machine = new Map(values('M', 'machine').flatMap((text) => [...properties(text, 'type')]));
  const nodes = values('numa').map((text) => properties(text, 'type'));
  if (machine.has('memory-backend') || nodes.some((node) => node.has('memdev')))
    return ofUser(values('object').map((text) => properties(text, 'type')));
  if ([...machine.keys()].some((key) => key.startsWith('memory.')))
    return no('-machine memory.… is not understood: say -m');
  const size = ramSize(values('m'), machine.get('type') ?? '');
  if (size === undefined) return no('it is not known how much RAM this machine has: say -m');
  const id = DEFAULT_RAM.find(([name]) => machine.get('type')?.startsWith(name))?.[2] ?? OUR_RAM;
  return {
    added: [
      ...['-object', `memory-backend-memfd,id=${id},size=${size},share=on`],
      ...['-machine', `memory-backend=${id}`],
    ],
    backends: [{ id, path: undefined, size }],
    reason: undefined,
  };
}

function ramSize(sizes: readonly string[], machine: string): number | undefined {
  const said = sizes
    .map((text) => properties(text, 'size').get('size'))
    .filter((text) => text !== undefined)
    .at(-1);
  if (said !== undefined) {
    const size = sizeOf(said);
    if (size !== 0) return size === undefined ? undefined : Math.ceil(size / RAM_STEP) * RAM_STEP;
  }
  return DEFAULT_RAM.find(([name]) => machine.startsWith(name))?.[1];
}

/** The readable backends among those on the user's command line. */
function ofUser(
  objects: readonly ReadonlyMap<string, string>[],
): Pick<Plan, 'added' | 'backends' | 'reason'> {
  const backends: SharedBackend[] = [];
  for (const object of objects) {
    const id = object.get('id');
    const type = object.get('type');
    const isOn = ['on', 'yes', 'true', 'y'].includes(object.get('share') ?? '');
    const size = sizeOf(object.get('size') ?? '', 'b');
    if (id === undefined) continue;
    if (type === 'memory-backend-memfd' && (isOn || !object.has('share')))
      backends.push({ id, path: undefined, size });
    if (type === 'memory-backend-file' && isOn) backends.push({ id, path: object.get('mem-path'), size });
  }
  const reason = 'none of the memory backends of the command line is shared: say share=on';
  return { added: [], backends, reason: backends.length > 0 ? undefined : reason };
}
