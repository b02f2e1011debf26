// A database with all functions: SQL over its tables, and gic_state, which replays on the simulator.
import { PlainDatabase } from './plain.ts';
import { StateTable } from './state/table-function.ts';

export type { Answer, Cell } from './plain.ts';

export class QueryDatabase extends PlainDatabase {
  /** Opens a database for reading. @throws GicTraceError `input` if gictrace did not make it. */
  constructor(path: string) {
    super(path, new StateTable(path));
  }
}
