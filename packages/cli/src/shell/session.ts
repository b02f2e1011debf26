// A session of the shell: takes lines and answers the queries in them. It knows nothing of terminals.
import { closeSync, writeSync } from 'node:fs';
import { GicTraceError } from '@gictrace/core';
import { type QueryDatabase, questionsOf, relationsOf } from '@gictrace/query';
import { LEAVE, runCommand, type Settings } from './commands.ts';
import { type Mode, type Output, writeAnswer } from './print.ts';
import { isEmpty, oneLine, split } from './statement.ts';
import { placeOf } from './where.ts';

/**
 * Runs a query in a process of its own, which writes the answer to the terminal or to a file descriptor. SQLite does not return
 * while it computes, so only a process can be interrupted.
 */
export type AskApart = (sql: string, mode: Mode, fd: number | undefined) => 'done' | 'failed' | 'interrupted';

export class Session {
  /** The lines of a statement that has not ended yet, as they were typed. */
  pending = '';
  /** Whether a query could not be answered. */
  failed = false;
  readonly settings: Settings;
  private readonly db: QueryDatabase;
  private readonly out: Output;
  private readonly apart: AskApart | undefined;

  constructor(db: QueryDatabase, out: Output, apart?: AskApart) {
    this.db = db;
    this.out = out;
    this.apart = apart;
    const relations = relationsOf(db);
    const questions = questionsOf(db);
    this.settings = {
      relations,
      questions,
      mode: 'table',
      timer: false,
      output: undefined,
      print: (line) => out.write(`${line}\n`),
      ask: (sql) => this.answer(sql),
    };
  }

  /** Takes a line. Returns the entries to add to the history, one line each, or undefined if the session ends. */
  take(line: string): readonly string[] | undefined {
    const text = line.trim();
    if (this.pending === '' && text.startsWith('.')) {
      if (LEAVE.includes(text)) return undefined;
      this.attempt(() => runCommand(text, this.settings));
      return [text];
    }
    const { statements, rest } = split(`${this.pending}${line}\n`);
    this.pending = isEmpty(rest) ? '' : rest;
    for (const statement of statements) this.answer(statement);
    return statements.map((statement) => `${oneLine(statement)};`);
  }

  /** Discards the lines of an unfinished statement. */
  drop(): void {
    this.pending = '';
  }

  /** Called when there are no more lines: a last query need not end with a semicolon. */
  end(): void {
    const last = this.pending;
    this.pending = '';
    if (!isEmpty(last)) this.answer(last);
    if (this.settings.output !== undefined) closeSync(this.settings.output.fd);
    this.settings.output = undefined;
  }

  private answer(sql: string): void {
    this.attempt(() => {
      const began = performance.now();
      const { output, mode } = this.settings;
      const out =
        output === undefined
          ? this.out
          : {
              write: (text: string) => void writeSync(output.fd, text),
              note: (text: string) => this.out.note(text),
            };
      try {
        // What is wrong with a statement is found before it runs.
        const answer = this.db.ask(sql);
        if (this.apart === undefined) writeAnswer(answer, mode, out);
        else this.answerApart(this.apart(sql, mode, output?.fd));
      } catch (error) {
        throw placeOf(error, sql);
      }
      if (this.settings.timer) this.out.note(`${((performance.now() - began) / 1000).toFixed(3)} s`);
    });
  }

  private answerApart(outcome: ReturnType<AskApart>): void {
    if (outcome === 'done') return;
    this.failed = true;
    if (outcome === 'interrupted') this.out.note('the query was interrupted');
  }

  /** A mistake of the user is reported in one line, and the session continues. */
  private attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof GicTraceError)) throw error;
      this.failed = true;
      this.out.note(error.line);
    }
  }
}
