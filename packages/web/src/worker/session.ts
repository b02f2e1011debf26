// What can be done with one file that the user has dropped. It becomes a trace in memory; everything else is done with that.

import { GicTraceError } from '@gictrace/core';
import {
  answerLines,
  askedTrace,
  type Cell,
  cellText,
  loadTraces,
  QueryDatabase,
  questionsOf,
  relationsOf,
  reportTraces,
  type WhyAnswer,
  type WhyQuestion,
  why,
} from '@gictrace/query';
import {
  type AnyTraceReader,
  addLabel,
  type ImportReport,
  importLogs,
  LOG_OPTIONS,
  type LogFormat,
  type LogOption,
  type LogOptions,
  logFormatNamed,
  TRACE_OUTPUT,
  TraceReader,
} from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { Buffer } from 'buffer';
import { memoryFile, mount } from '../host/fs.ts';
import { droppedLog } from './source.ts';

/** The most rows of a result that are shown. */
const ROWS_MAX = 2000;

export type Progress = (done: number, unit: string) => void;

/** What the user says about a log, as it was typed. */
export interface ImportForm {
  /** Empty: it is recognised. */
  readonly format: string;
  /** Text by the name of the option. */
  readonly options: Readonly<Record<string, string>>;
  /** A trace of the same GIC. */
  readonly like: File | undefined;
  /** NAME=VALUE each. */
  readonly labels: readonly string[];
}

/** What the page says of a file. */
export interface Opened {
  readonly format: LogFormat | 'trace';
  readonly records: number;
  readonly lines: number | null;
  readonly bytes: number;
  readonly digest: string | null;
  readonly machine: string;
  readonly pes: number;
  /** What the importer left out, with how often. */
  readonly losses: readonly (readonly [string, number])[];
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Whether each column has numbers only. */
  readonly numeric: readonly boolean[];
  /** Whether there are more rows. */
  readonly isCut: boolean;
  readonly ms: number;
}

export interface Catalogue {
  readonly relations: readonly {
    readonly name: string;
    readonly doc: string;
    readonly columns: readonly string[];
  }[];
  readonly questions: readonly { readonly question: string; readonly sql: string }[];
}

/** The options of a form. @throws GicTraceError `usage` */
function optionsOf({ options, like }: ImportForm): LogOptions {
  const given = Object.entries<LogOption>(LOG_OPTIONS)
    .filter(([name]) => options[name] !== undefined)
    .map(([name, { parse }]) => [name, parse(options[name]!)] as const);
  if (like === undefined) return Object.fromEntries(given);
  const path = `/like/${like.name}`;
  mount(path, like);
  return { ...Object.fromEntries(given), like: path };
}

export class Session {
  private readonly progress: Progress;
  private trace = '';
  private database: QueryDatabase | undefined;

  constructor(progress: Progress) {
    this.progress = progress;
  }

  /** Opens a trace, or imports a log. */
  async open({ file, form }: { readonly file: File; readonly form: ImportForm }): Promise<Opened> {
    const name = file.name.replaceAll('/', '_');
    const head = Buffer.from(await file.slice(0, 16).arrayBuffer());
    if (TRACE_OUTPUT.recognises(head)) {
      this.trace = `/${name}`;
      mount(this.trace, file);
      return this.described('trace', file.size, null);
    }
    this.trace = `/${name.replace(/\.(gz|xz|zst)$/, '').replace(/\.[^.]+$/, '')}.gictrace`;
    const named = form.format === '' ? undefined : logFormatNamed(form.format);
    let labels: readonly (readonly [string, string])[] = [];
    for (const text of form.labels) labels = addLabel(text, labels);
    const report = await importLogs(named, [droppedLog(file)], this.trace, optionsOf(form), {
      ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
      progress: (lines) => this.progress(lines, 'lines'),
    });
    return this.described(report.format, report.summary.bytes, report);
  }

  private described(
    format: Opened['format'],
    bytes: number,
    report: Pick<ImportReport, 'stats'> | null,
  ): Opened {
    const reader = this.reader();
    try {
      const { config } = reader.header;
      const { architecture, pes, profile } = config;
      const its =
        config.architecture === 5 ? '' : `${config.its.length === 0 ? 'no' : config.its.length} ITS, `;
      return {
        format,
        records: reader.records,
        lines: report?.stats.lines ?? null,
        bytes,
        digest: reader.footer?.contentDigest ?? null,
        machine: `GICv${architecture}, ${pes.length} PE${pes.length === 1 ? '' : 's'}, ${its}profile ${profile}`,
        pes: pes.length,
        losses: Object.entries(report?.stats.losses ?? {}),
      };
    } finally {
      reader.close();
    }
  }

  /** The report, as a page. */
  report(): Blob {
    const path = '/report.html';
    reportTraces([this.trace], path, {
      force: true,
      verdict: (trace) =>
        replayTrace(trace, { progress: (records) => this.progress(records, 'records replayed') }),
      progress: (records) => this.progress(records, 'records read'),
    });
    return new Blob([memoryFile(path)!.blob()], { type: 'text/html' });
  }

  why(question: WhyQuestion): {
    readonly lines: readonly string[];
    readonly way: WhyAnswer['way'];
    readonly finding: WhyAnswer['finding'];
  } {
    const reader = TraceReader.open(this.trace);
    try {
      const { pes } = reader.header.config;
      if (question.pe !== undefined && question.pe >= pes.length)
        throw new GicTraceError('usage', `the trace has PEs 0 to ${pes.length - 1}, not ${question.pe}`);
      if (question.at !== undefined && question.at >= reader.records)
        throw new GicTraceError(
          'usage',
          `the trace has records 0 to ${reader.records - 1}, not ${question.at}`,
        );
      const answer = why(askedTrace(reader), question, (records) => this.progress(records, 'records read'));
      return { lines: answerLines(answer, true), way: answer.way, finding: answer.finding };
    } finally {
      reader.close();
    }
  }

  /** What can be asked in SQL. It loads the trace into a database, if that has not been done. */
  catalogue(): Catalogue {
    this.database ??= this.loaded();
    return {
      relations: relationsOf(this.database).map(({ name, doc, columns }) => ({
        name,
        doc,
        columns: Object.keys(columns),
      })),
      questions: questionsOf(this.database).map(({ question, sql }) => ({ question, sql })),
    };
  }

  /** Answers a query. The first one loads the trace into a database. */
  sql(text: string): Table {
    this.database ??= this.loaded();
    const begun = performance.now();
    const { columns, rows } = this.database.ask(text);
    const shown: (readonly Cell[])[] = [];
    let isCut = false;
    for (const row of rows) {
      if (shown.length === ROWS_MAX) {
        isCut = true;
        break;
      }
      shown.push(row);
    }
    const numeric = columns.map((_, k) =>
      shown.every((row) => row[k] === null || typeof row[k] === 'bigint' || typeof row[k] === 'number'),
    );
    return {
      columns,
      rows: shown.map((row) => row.map(cellText)),
      numeric,
      isCut,
      ms: performance.now() - begun,
    };
  }

  private loaded(): QueryDatabase {
    const path = '/trace.db';
    const reader = this.reader();
    try {
      loadTraces(
        path,
        [
          {
            name: this.trace.slice(1),
            path: this.trace,
            header: reader.header,
            contentDigest: reader.footer?.contentDigest ?? null,
            semanticDigest: reader.footer?.semanticDigest ?? null,
            batches: reader.batches(),
          },
        ],
        { force: true, progress: (records) => this.progress(records, 'records loaded') },
      );
    } finally {
      reader.close();
    }
    return new QueryDatabase(path);
  }

  /** The trace as a file; null if it is the file that was dropped. */
  file(): Blob | null {
    return memoryFile(this.trace)?.blob() ?? null;
  }

  private reader(): AnyTraceReader {
    return TraceReader.openAny(this.trace);
  }
}
