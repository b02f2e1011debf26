// What a command said of each of many traces, as a Parquet file.
import { OutputFile, type TargetOptions } from '@gictrace/recorder/output';
import { parquetWriteBuffer } from 'hyparquet-writer';

export interface BatchResult {
  readonly path: string;
  /** The exit code, or -1 if a signal ended the process. */
  readonly exit: number;
  readonly outcome: 'passed' | 'found' | 'failed';
  readonly seconds: number;
  /** What it printed, up to a limit. */
  readonly output: string;
}

/**
 * Begins the Parquet file of results, before there are any.
 * @throws GicTraceError `usage` if the file may not be written, `backend` if the disk is full.
 */
export function resultsFile(path: string, options: TargetOptions): OutputFile {
  return new OutputFile(
    path,
    { what: 'a Parquet file', recognises: (head) => head.toString('latin1', 0, 4) === 'PAR1' },
    options,
  );
}

/** Writes the results of `command`, and completes the file. */
export function writeResults(out: OutputFile, command: string, results: readonly BatchResult[]): void {
  const column = <Type extends string>(name: string, type: Type, data: unknown[]) => ({ name, type, data });
  const bytes = parquetWriteBuffer({
    columnData: [
      column(
        'path',
        'STRING',
        results.map((one) => one.path),
      ),
      column(
        'command',
        'STRING',
        results.map(() => command),
      ),
      column(
        'exit',
        'INT32',
        results.map((one) => one.exit),
      ),
      column(
        'outcome',
        'STRING',
        results.map((one) => one.outcome),
      ),
      column(
        'seconds',
        'DOUBLE',
        results.map((one) => one.seconds),
      ),
      column(
        'output',
        'STRING',
        results.map((one) => one.output),
      ),
    ],
  });
  out.write(new Uint8Array(bytes));
  out.commit();
}
