// A database that can be asked everything: SQL over its tables, and gic_state, which replays on the simulator.
import { PlainDatabase } from './plain.ts';
import { StateTable } from './state/table-function.ts';

export type { Answer, Cell } from './plain.ts';

export class QueryDatabase extends PlainDatabase {
  /** Opens a database for reading. Throws a GicTraceError (`input`) if it is none of ours. */
  constructor(path: string) {
    super(path, new StateTable(path));
  }
}
