// gictrace why: why an interrupt did not arrive, or why it did when and where it did.
import { GicTraceError } from '@gictrace/core';
import {
  answerGraph,
  answerLines,
  askedTrace,
  GRAPH_FORMATS,
  type GraphFormat,
  type WhyQuestion,
  why,
} from '@gictrace/query';
import { type AnyTraceReader, TraceReader } from '@gictrace/recorder';
import type { Command } from 'commander';
import { json, print, wholeNumber } from '../context.ts';
import { intidOf } from '../intid.ts';
import { Progress } from '../progress.ts';

interface Options {
  readonly intid?: number;
  readonly device?: number;
  readonly event?: number;
  readonly vintid?: number;
  readonly vpe?: number;
  readonly pe?: number;
  readonly at?: string;
  readonly not?: boolean;
  readonly graph?: string;
  readonly json?: boolean;
}

const WORD = 2 ** 32 - 1;

export function addWhy(program: Command, exit: (code: number) => void): void {
  program
    .command('why')
    .summary('say why an interrupt arrived or did not')
    .description(
      'Follows one interrupt through a trace and names the record that kept it from being signalled or acknowledged, what would have opened its way, and whether a replay without that record confirms it (docs/why.md). Exit code 0: it was delivered; 1: it was not, or was never pending.',
    )
    .argument('<trace>', 'the trace')
    .option(
      '--intid <n>',
      'the interrupt; 8193 or 0x2001; of a GICv5 with its type, such as "PPI 27"',
      intidOf,
    )
    .option('--device <id>', 'the messages of this DeviceID', wholeNumber('--device', 0, WORD))
    .option('--event <id>', 'with --device: only this EventID', wholeNumber('--event', 0, WORD))
    .option(
      '--vintid <n>',
      'a virtual interrupt: a vLPI, a vSGI, or one in a list register',
      wholeNumber('--vintid', 0, 2 ** 24 - 1),
    )
    .option('--vpe <id>', 'with --vintid: of this vPEID', wholeNumber('--vpe', 0, 0xffff))
    .option('--pe <pe>', 'only for this PE', wholeNumber('--pe', 0, 511))
    .option('--at <where>', 'about this record, or time (12.5s since the trace began)')
    .option('--not', 'why it did not arrive, even if other interrupts of this INTID did')
    .option('--graph <format>', `the way and the cause as a graph: ${GRAPH_FORMATS.join(' or ')}`)
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace why boot.gictrace --intid 27 --pe 1\n')
    .action((path: string, options: Options) => {
      const reader = TraceReader.openAny(path);
      const progress = new Progress('records');
      try {
        const answer = why(askedTrace(reader), questionOf(options, reader), (records) =>
          progress.update(records),
        );
        progress.end();
        if (options.json) print(json(answer));
        else if (options.graph !== undefined) print(answerGraph(answer, options.graph as GraphFormat));
        else for (const line of answerLines(answer)) print(line);
        exit(answer.outcome === 'delivered' || answer.outcome === 'late' ? 0 : 1);
      } finally {
        progress.end();
        reader.close();
      }
    });
}

/** The question that the options ask. @throws GicTraceError `usage` if they do not fit together, or the trace. */
function questionOf(options: Options, reader: AnyTraceReader): WhyQuestion {
  const { intid, device, event, vintid, vpe, pe, at, not } = options;
  if ([intid, device, vintid].filter((one) => one !== undefined).length !== 1)
    throw new GicTraceError(
      'usage',
      'why needs one of --intid, --device and --vintid',
      {},
      'gictrace why TRACE --intid 27',
    );
  if (options.graph !== undefined && !GRAPH_FORMATS.includes(options.graph as GraphFormat))
    throw new GicTraceError('usage', `--graph takes ${GRAPH_FORMATS.join(' or ')}, not '${options.graph}'`);
  if (event !== undefined && device === undefined)
    throw new GicTraceError(
      'usage',
      '--event needs --device',
      {},
      'gictrace why TRACE --device 0x10 --event 0',
    );
  if (vpe !== undefined && vintid === undefined)
    throw new GicTraceError('usage', '--vpe needs --vintid', {}, 'gictrace why TRACE --vintid 8192 --vpe 0');
  const pes = reader.header.config.pes.length;
  if (pe !== undefined && pe >= pes)
    throw new GicTraceError('usage', `the trace has PEs 0 to ${pes - 1}, not ${pe}`);
  return {
    ...(intid === undefined ? {} : { intid }),
    ...(device === undefined ? {} : { device }),
    ...(event === undefined ? {} : { event }),
    ...(vintid === undefined ? {} : { vintid }),
    ...(vpe === undefined ? {} : { vpe }),
    ...(pe === undefined ? {} : { pe }),
    ...(at === undefined ? {} : { at: recordOf(at, reader) }),
    ...(not === true ? { not } : {}),
  };
}

/** The record that `--at` names: a record, or the last one at a time. */
function recordOf(text: string, reader: AnyTraceReader): number {
  if (/^(\d+|0x[\da-f]+)$/i.test(text)) {
    const record = Number(text);
    if (record >= reader.records)
      throw new GicTraceError('usage', `the trace has records 0 to ${reader.records - 1}, not ${record}`);
    return record;
  }
  const time = /^(\d+(?:\.\d+)?)(s|ms|us|ns)$/.exec(text);
  if (time === null)
    throw new GicTraceError(
      'usage',
      `--at takes a record or a time, not '${text}'`,
      {},
      'such as 1200, 12.5s or 300ms',
    );
  const ns = Number(time[1]) * { s: 1e9, ms: 1e6, us: 1e3, ns: 1 }[time[2] as 's' | 'ms' | 'us' | 'ns'];
  let found = -1;
  for (const { batch, first } of reader.batches())
    for (let i = 0; i < batch.count; i++) if (batch.timeNs[i]! <= ns) found = Math.max(found, first + i);
  if (found < 0) throw new GicTraceError('usage', `no record of the trace has a time up to ${text}`);
  return found;
}
