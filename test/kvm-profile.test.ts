// The profile of KVM against recordings of a real one: stimuli that were given to KVM's vgic of Linux 6.12.117 through its
// adapter (docs/adapter.md), with the responses that it gave.
import { importJsonlToTrace, TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import { afterAll, expect, it } from 'vitest';
import { recording, scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

async function verdictOf(name: string, profile: string) {
  const first = temp.path(`${name}-${profile}-kvm`);
  await importJsonlToTrace(recording(`kvm/${name}.jsonl.gz`), first, { version: 'test' });
  const reader = TraceReader.open(first);
  const { config } = reader.header;
  reader.close();
  const trace = temp.path(`${name}-${profile}`);
  await importJsonlToTrace(recording(`kvm/${name}.jsonl.gz`), trace, {
    version: 'test',
    config: { ...config, profile },
  });
  return replayTrace(trace, { version: 'test' });
}

it.each([
  // Reset values, RAZ/WI bits, what is stored of each register with the address of a table, refused enables.
  ['registers', { 'mmio.read': 86 }],
  // EnableLPIs is cleared and set while an LPI is pending; MAPC with V = 0 and then V = 1; DISCARD of a pending LPI. Each
  // ends with the acknowledge that shows what became of the LPI.
  ['enable-lpis-again', { 'sysreg.read': 1, hppi: 2 }],
  ['mapc-unmaps', { 'sysreg.read': 1 }],
  ['discard-pending', { 'sysreg.read': 1, hppi: 2 }],
] as const)('%s: as recorded, and otherwise by the architecture', async (name, compared) => {
  const verdict = await verdictOf(name, 'kvm');
  expect(verdict.first).toBeNull();
  expect(verdict.compared).toEqual(compared);
  expect((await verdictOf(name, 'architecture')).diverged).toBeGreaterThan(0);
});
