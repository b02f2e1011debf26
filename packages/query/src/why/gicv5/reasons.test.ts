// What is said of a PE that the source does not name.
import { GICV5_TYPES, gicv5Intid } from '@gictrace/core/spec';
import { expect, it } from 'vitest';
import { causeOfWait, openingOf } from './reasons.ts';

it('a PE that the source does not name is no PE of the GIC', () => {
  const [intid, handled] = [3, 4].map((id) => gicv5Intid(GICV5_TYPES.LPI, id));
  const wait = { INTID: intid!, pe: null, from_record: 9, handled: handled!, handled_since: 7, behind: null };
  // These causes are in the wait alone.
  const cause = causeOfWait(undefined as never, { ...wait, gate: 'running priority' }, undefined);
  expect(cause).toMatchObject({
    record: 7,
    what: 'a PE that the source does not name acknowledges LPI 4, and no GIC CDEOI follows before this',
    missing: { what: 'priority drop', pe: -1 },
  });
  const behind = causeOfWait(undefined as never, { ...wait, gate: 'behind', behind: handled! }, undefined);
  expect(behind.what).toBe('LPI 4 is ahead of it on its PE');
  for (const reason of ['running priority', 'behind', 'signalled', 'interface disabled', 'priority mask'])
    expect(openingOf(reason, -1)).toMatch(/its PE/);
});
