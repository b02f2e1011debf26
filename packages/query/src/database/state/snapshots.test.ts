// The states that a database keeps: bounded, spread over the trace, and found.
import { GicState, STATE_VERSION } from '@gictrace/core/model';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DERIVED_TABLES } from '../../sql/derived-tables.ts';
import { CONFIG } from '../../testing/synthetic.ts';
import { keptState, StateKeeper } from './snapshots.ts';

test('the kept state is one that was offered, the latest of those kept; their bytes are bounded', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 700 }), (offers, record) => {
      const bytesMax = 2000;
      const db = new Database(':memory:');
      db.exec(DERIVED_TABLES.states.table.ddl);
      const keeper = new StateKeeper(10, bytesMax);
      const state = new GicState(CONFIG);
      for (let k = 1; k <= offers; k++) {
        state.routeLow[40] = k;
        keeper.offer(10 * k, state);
      }
      const insert = db.prepare('INSERT INTO t_states VALUES (1, ?, ?, ?)');
      for (const { record, state } of keeper.states()) insert.run(record, STATE_VERSION, state);
      const all = db.prepare('SELECT record, length(state) AS bytes FROM t_states').all() as {
        record: number;
        bytes: number;
      }[];
      expect(all.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(bytesMax);
      expect(all.length).toBeGreaterThan(0);
      const expected = all.map((one) => one.record).filter((at) => at <= record);
      const kept = keptState(db, 1, record, STATE_VERSION);
      expect(kept?.record).toBe(expected.length === 0 ? undefined : Math.max(...expected));
      if (kept !== undefined) {
        const restored = new GicState(CONFIG);
        restored.restore(kept.state);
        expect(restored.routeLow[40]).toBe(kept.record / 10);
      }
      expect(keptState(db, 2, record, STATE_VERSION)).toBeUndefined();
      db.close();
    }),
    { numRuns: 60, seed: 1 },
  );
});
