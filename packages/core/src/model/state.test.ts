// The layout of stored states. Traces and databases contain states, which another layout reads wrongly without noticing.
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { testConfig } from './driver.test-support.ts';
import { GicState, STATE_VERSION } from './state.ts';

type Stored = Uint8Array | Uint32Array;

/** Where each array of a state is in the saved bytes: `name offset elements bytes-per-element`. */
function layoutOf(state: GicState): string[] {
  const found: [number, string][] = [];
  const visit = (holder: object, prefix: string): void => {
    for (const [name, value] of Object.entries(holder)) {
      if (value instanceof Uint8Array || value instanceof Uint32Array) {
        const { byteOffset, length, BYTES_PER_ELEMENT } = value as Stored;
        // A constant from the configuration is not in the buffer that is saved.
        if (value.buffer === state.gicdCtlr.buffer)
          found.push([byteOffset, `${prefix}${name} ${byteOffset} ${length} ${BYTES_PER_ELEMENT}`]);
      } else if (['spi', 'ppi', 'virtual'].includes(name)) visit(value, `${prefix}${name}.`);
    }
  };
  visit(state, '');
  return found.sort(([a], [b]) => a - b).map(([, text]) => text);
}

it('has a version of its own for each layout', () => {
  const layout = layoutOf(new GicState(testConfig('architecture', 2)));
  expect(layout[0]).toMatch(/^gicdCtlr 0 1 4$/);
  expect(layout.length).toBeGreaterThan(60);
  const digest = createHash('sha256').update(layout.join('\n')).digest('hex').slice(0, 16);
  // If this fails, the layout has changed: raise STATE_VERSION, and put the new pair here.
  expect([STATE_VERSION, digest]).toEqual([5, '9fa3296a20792311']);
});
