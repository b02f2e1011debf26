// gictrace dump and recover: print a trace, and recover a damaged one.
import { checkIntidOf, didYouMean, GicTraceError } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import { isAbout, RECORDS, type RecordBatch, recordName } from '@gictrace/core/record';
import {
  type AnyTraceReader,
  hasLearntState,
  headerJson,
  recordJson,
  recover,
  TraceReader,
} from '@gictrace/recorder';
import type { Command } from 'commander';
import { FORCE, grouped, json, note, print, wholeNumber } from '../context.ts';
import { Pauses } from '../interrupt.ts';
import { intidOf } from '../intid.ts';
import { printable } from '../printable.ts';
import { isOutputClosed, outputRoom, writeOut } from '../streams.ts';

async function withTrace<T>(path: string, work: (reader: AnyTraceReader) => T | Promise<T>): Promise<T> {
  const reader = TraceReader.openAny(path);
  try {
    return await work(reader);
  } finally {
    reader.close();
  }
}

interface DumpOptions {
  readonly from?: number;
  readonly to?: number;
  readonly pe?: number;
  readonly intid?: number;
  readonly kind?: string;
  readonly json?: boolean;
  readonly header?: boolean;
}

/** Whether a record names an INTID, either of a physical interrupt or, as a vINTID, of a virtual one. */
function isAboutIntid(batch: RecordBatch, i: number, intid: number): boolean {
  return isAbout(batch, i, 'INTID', intid) || isAbout(batch, i, 'vINTID', intid);
}

/** Refuses what the trace cannot have. */
function checkRange({ from, to, pe, intid }: DumpOptions, { records, header }: AnyTraceReader): void {
  if (intid !== undefined) checkIntidOf(header.config.architecture, intid);
  if (from !== undefined && to !== undefined && from > to)
    throw new GicTraceError('usage', `--from ${from} is after --to ${to}`);
  if (from !== undefined && from >= records && records > 0)
    throw new GicTraceError('usage', `the trace has records 0 to ${records - 1}, not ${from}`);
  const pes = header.config.pes.length;
  if (pe !== undefined && pe >= pes)
    throw new GicTraceError('usage', `the trace has PEs 0 to ${pes - 1}, not ${pe}`);
}

export function addDump(program: Command): void {
  const record = wholeNumber('--from and --to', 0, 2 ** 32 - 2);
  program
    .command('dump')
    .summary('print records, decoded')
    .description('Prints records, one per line, with registers and commands decoded.')
    .argument('<trace>', 'the trace')
    .option('--from <record>', 'first record', record)
    .option('--to <record>', 'last record', record)
    .option('--pe <pe>', 'only records of this PE', wholeNumber('--pe', 0, 511))
    .option(
      '--intid <n>',
      'only records that name this INTID, physical or virtual, alone or in a range; 8193 or 0x2001; of a GICv5 with its type, such as "PPI 27" or 0x2000001b',
      intidOf,
    )
    .option('--kind <kind>', 'only records of this kind, such as mmio.write or hppi')
    .option('--json', 'JSON lines (docs/import.md)')
    .option('--header', 'with --json, print the header line that gictrace import jsonl needs first')
    .addHelpText('after', '\nExample:\n  gictrace dump boot.gictrace --from 1000 --to 1020\n')
    .action(async (path: string, options: DumpOptions) => {
      if (options.kind !== undefined && !Object.hasOwn(RECORDS, options.kind))
        throw new GicTraceError(
          'usage',
          `there is no record kind '${options.kind}'`,
          {},
          didYouMean(options.kind, Object.keys(RECORDS)).trim() || 'docs/records.md lists the kinds',
        );
      await withTrace(path, async (reader) => {
        checkRange(options, reader);
        let found = 0;
        const pauses = new Pauses();
        const lines: string[] =
          options.json && options.header
            ? [printable(headerJson(reader.header, hasLearntState(reader)))]
            : [];
        const flush = () => {
          if (lines.length > 0) writeOut(`${lines.join('\n')}\n`);
          lines.length = 0;
        };
        for (const { batch, first } of reader.batches(options.from ?? 0)) {
          for (let i = 0; i < batch.count; i++) {
            const number = first + i;
            if (number < (options.from ?? 0) || number > (options.to ?? Number.POSITIVE_INFINITY)) continue;
            if (options.pe !== undefined && batch.pe[i] !== options.pe) continue;
            if (options.kind !== undefined && recordName(batch.kind[i]!) !== options.kind) continue;
            if (options.intid !== undefined && !isAboutIntid(batch, i, options.intid)) continue;
            found++;
            lines.push(options.json ? recordJson(batch, i, number) : recordText(batch, i, number));
          }
          flush();
          await pauses.due();
          await outputRoom();
          if (isOutputClosed()) break;
          if (options.to !== undefined && first + batch.count > options.to) break;
        }
        if (found === 0 && reader.records > 0) note('no record matches');
      });
    });
}

export function addRecover(program: Command): void {
  program
    .command('recover')
    .summary('recover a damaged or unfinished trace')
    .description('Writes a trace from every intact chunk of a damaged one, and reports what is missing.')
    .argument('<trace>', 'the damaged trace')
    .requiredOption('-o, --output <trace>', 'the trace to write')
    .option('--force', FORCE)
    .option('--json', 'answer as JSON')
    .addHelpText('after', '\nExample:\n  gictrace recover boot.gictrace.partial -o boot.gictrace\n')
    .action((path: string, options: { output: string; force?: boolean; json?: boolean }) => {
      const { recovered, finished, missing } = recover(path, options.output, {
        force: options.force === true,
      });
      if (options.json) {
        print(json({ trace: options.output, ...recovered, finished, missing }));
        return;
      }
      print(`${options.output}: ${grouped(recovered.records)} records recovered`);
      if (!finished) note(`${path} has no end: its writer died, or it was truncated`);
      for (const gap of missing)
        print(
          `missing: ${gap.count === undefined ? `everything from record ${gap.firstRecord} on` : `records ${gap.firstRecord} to ${gap.firstRecord + gap.count - 1}`} (bytes ${gap.from} to ${gap.to})`,
        );
      if (missing.length === 0) print('nothing is missing');
    });
}
