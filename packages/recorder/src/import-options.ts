// What can be said about a log that does not show it: the options of an import, for the command line and for forms.
import { GicTraceError, PES_MAX, PROFILES, wholeNumber } from '@gictrace/core';
import { GICV5_PROFILES } from '@gictrace/core/gicv5';
import type { Start } from './importers/common/learn/unknowns.ts';
import { LOG_FORMATS, type LogFormat } from './importers/detect.ts';
import type { FtraceOptions } from './importers/ftrace/index.ts';

/** An option of an import. */
export interface LogOption<Value = unknown> {
  /** As the command line and messages name it. */
  readonly flag: `--${string}`;
  /** What it takes, for people: `n`, `address`. A switch takes nothing. */
  readonly takes?: string;
  /** The formats that have it. */
  readonly formats: readonly LogFormat[];
  readonly doc: string;
  /** What a switch says in its opposite, `--no-…`. */
  readonly opposite?: string;
  /** All values that it takes, if they can be listed. */
  readonly values?: readonly string[];
  /** @throws GicTraceError `usage` for a text that it does not take. */
  parse(text: string): Value;
}

function usage(message: string, hint?: string): never {
  throw new GicTraceError('usage', message, {}, hint);
}

function parseAddress(flag: string, text: string): bigint {
  if (!/^(0x[0-9a-fA-F]{1,16}|\d{1,20})$/.test(text) || BigInt(text) >= 2n ** 64n)
    usage(`${flag} takes an address such as 0x8000000, not '${text}'`);
  return BigInt(text);
}

function parseRegions(text: string): NonNullable<FtraceOptions['gicr']> {
  return text.split(',').map((one) => {
    const [base, count, ...rest] = one.split(':');
    if (rest.length > 0) usage(`--gicr takes ADDRESS[:N],…, not '${text}'`);
    return {
      base: parseAddress('--gicr', base!),
      ...(count === undefined ? {} : { count: wholeNumber('--gicr', 1, PES_MAX)(count) }),
    };
  });
}

function parseStride(text: string): number {
  const bytes = Number(parseAddress('--gicr-stride', text));
  if (bytes < 0x2_0000 || bytes % 0x1_0000 !== 0 || bytes > 0x100_0000)
    usage(`--gicr-stride takes a multiple of 64 KiB from 0x20000 on, not '${text}'`);
  return bytes;
}

function parseStart(text: string): Start {
  if (text !== 'reset' && text !== 'mid-life') usage(`--start takes reset or mid-life, not '${text}'`);
  return text;
}

function parseSwitch(text: string): boolean {
  if (text !== 'yes' && text !== 'no') usage(`--its takes yes or no, not '${text}'`);
  return text === 'yes';
}

function parseSide(text: string): 'host' | 'guest' {
  if (text !== 'host' && text !== 'guest') usage(`--of is '${text}'`, 'host or guest');
  return text;
}

function parseVm(text: string): string {
  if (!/^(\d+(,\d+)*|0x[0-9a-f]+)$/i.test(text))
    usage(`--vm is '${text}'`, 'it takes PID, PID,PID,… or 0xADDRESS');
  return text;
}

/** The options in the order in which they are shown. */
export const LOG_OPTIONS = {
  pes: {
    flag: '--pes',
    takes: 'n',
    formats: ['qemu', 'gicv5', 'ftrace'],
    doc: 'number of PEs, if the log does not show it',
    parse: wholeNumber('--pes', 1, PES_MAX),
  },
  gic: {
    flag: '--gic',
    takes: 'version',
    formats: ['qemu'],
    doc: 'qemu: GIC version, if the log does not show it: 3 or 4',
    values: ['3', '4'],
    parse: (text: string) => wholeNumber('--gic', 3, 4)(text) as 3 | 4,
  },
  its: {
    flag: '--its',
    formats: ['qemu'],
    doc: 'qemu: there is an ITS, even if the log does not show one',
    opposite: 'qemu: there is no ITS',
    values: ['yes', 'no'],
    parse: parseSwitch,
  },
  priorityBits: {
    flag: '--priority-bits',
    takes: 'n',
    formats: ['qemu'],
    doc: 'qemu: implemented priority bits',
    parse: wholeNumber('--priority-bits', 4, 8),
  },
  start: {
    flag: '--start',
    takes: 'how',
    formats: ['qemu', 'gicv5', 'ftrace'],
    doc: 'qemu, ftrace: how the log begins, if that cannot be inferred: reset, or mid-life (the GIC is in use)',
    values: ['reset', 'mid-life'],
    parse: parseStart,
  },
  gicd: {
    flag: '--gicd',
    takes: 'address',
    formats: ['ftrace'],
    doc: 'ftrace: the Distributor, as the log prints addresses',
    parse: (text: string) => parseAddress('--gicd', text),
  },
  gicr: {
    flag: '--gicr',
    takes: 'addresses',
    formats: ['ftrace'],
    doc: 'ftrace: the first Redistributor of each region, optionally with the number of Redistributors: ADDRESS[:N],…',
    parse: parseRegions,
  },
  gicrStride: {
    flag: '--gicr-stride',
    takes: 'bytes',
    formats: ['ftrace'],
    doc: 'ftrace: distance from one Redistributor to the next',
    parse: parseStride,
  },
  gits: {
    flag: '--gits',
    takes: 'addresses',
    formats: ['ftrace'],
    doc: 'ftrace: the ITSs: ADDRESS,…',
    parse: (text: string) => text.split(',').map((one) => parseAddress('--gits', one)),
  },
  of: {
    flag: '--of',
    takes: 'side',
    formats: ['ftrace'],
    doc: 'ftrace: whose GIC the trace is of: host, or guest (of KVM)',
    values: ['host', 'guest'],
    parse: parseSide,
  },
  vm: {
    flag: '--vm',
    takes: 'id',
    formats: ['ftrace'],
    doc: 'ftrace: the virtual machine, if there are several: the id of its process or of a vCPU thread (or of all its vCPU threads: PID,PID,…), or the address of its struct kvm, as the log prints them',
    parse: parseVm,
  },
  profile: {
    flag: '--profile',
    takes: 'profile',
    formats: ['qemu', 'gicv5', 'ftrace'],
    doc: 'profile for replay. qemu: the version, if the log does not show it (qemu-7.2, qemu-10.0, qemu-11.1). ftrace: architecture for a host, kvm for a guest, unless given',
    parse: (text: string) => text,
  },
  like: {
    flag: '--like',
    takes: 'trace',
    formats: ['jsonl'],
    doc: 'jsonl: a trace of the same GIC, if the lines have no header',
    parse: (text: string) => text,
  },
} as const satisfies Readonly<Record<string, LogOption>>;

export type LogOptionName = keyof typeof LOG_OPTIONS;
/** Options that were given, by their names. */
export type LogOptions = {
  readonly [N in LogOptionName]?: ReturnType<(typeof LOG_OPTIONS)[N]['parse']> | undefined;
};

/** @throws GicTraceError `usage` for an option that the format does not have, or a profile that it does not know. */
export function checkLogOptions(format: LogFormat, options: LogOptions): void {
  for (const [name, { flag, formats }] of Object.entries<LogOption>(LOG_OPTIONS))
    if (options[name as LogOptionName] !== undefined && !formats.includes(format))
      usage(`${flag} is not for ${format}`);
  const profiles = Object.keys(format === 'gicv5' ? GICV5_PROFILES : PROFILES);
  if (options.profile !== undefined && !profiles.includes(options.profile))
    usage(`there is no profile '${options.profile}'`, `profiles: ${profiles.join(', ')}`);
}

/** A format by its name. @throws GicTraceError `usage` */
export function logFormatNamed(text: string): LogFormat {
  if (!Object.hasOwn(LOG_FORMATS, text))
    usage(`there is no format '${text}'`, `formats: ${Object.keys(LOG_FORMATS).join(', ')}`);
  return text as LogFormat;
}

/** Adds a label NAME=VALUE. @throws GicTraceError `usage` */
export function addLabel(
  text: string,
  before: readonly (readonly [string, string])[],
): readonly (readonly [string, string])[] {
  const [, name, value] = /^([A-Za-z][\w.-]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    usage(`--label takes NAME=VALUE, as in kernel=6.12, not '${text}'`);
  if (before.some(([other]) => other === name)) usage(`--label gives '${name}' twice`);
  return [...before, [name, value]];
}
