// Records a behaviour of the conformance suite: its stimuli, and what they returned and caused on the simulator.
import { type GicConfig, GicTraceError, VERSION } from '@gictrace/core';
import {
  applies,
  BEHAVIOURS,
  type Behaviour,
  Guest,
  hardwareFor,
  NEEDS,
  type Need,
} from '@gictrace/core/conformance';
import type { Machine } from '@gictrace/core/model';
import { configOf, type Hardware, PLAIN, PROFILES } from '@gictrace/core/profile';
import { RECORD_FLAGS, RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { TraceWriter } from '@gictrace/recorder';

/** What each need of an experiment adds to a plain GICv3 with an ITS. */
const ADDED: { readonly [K in Need]?: Partial<Hardware> } = {
  'two ITSs': { its: 2 },
  'direct LPI': { directLpi: true },
  'message-based SPIs': { mbis: true },
  '1 of N': { oneOfN: true },
  'extended SPIs': { extendedSpis: 32 },
  'extended PPIs': { extendedPpis: 64 },
  NMI: { nmi: true },
  'two Security states': { twoSecurityStates: true },
  vLPIs: { architecture: 4, virtualLpis: '4.1' },
  'GICv4.0': { architecture: 4, virtualLpis: '4.0' },
  'GICv4.1': { architecture: 4, virtualLpis: '4.1' },
};

/** The least hardware on which a behaviour can be tried; undefined if its needs contradict each other. */
export function leastHardware({ needs }: Behaviour): Hardware | undefined {
  let hardware: Hardware = PLAIN;
  for (const need of needs) hardware = { ...hardware, ...ADDED[need] };
  return needs.every((need) => NEEDS[need](hardware)) ? hardware : undefined;
}

/** More records than any experiment makes. */
const RECORDS_MAX = 16_384;

/**
 * Runs an experiment on the simulator and records it. `machine` is called with the machine first. Returns undefined if the
 * experiment cannot be expressed as a recording.
 */
export function recordedBehaviour(
  behaviour: Behaviour,
  config: GicConfig,
  machine?: (machine: Machine) => void,
): RecordBatch | undefined {
  const guest = new Guest(config);
  machine?.(guest.machine);
  const out = new RecordBatch(RECORDS_MAX);
  guest.tap = (stimulus) => {
    if (out.capacity - out.count < guest.seen.length + 1) return;
    const i = out.copy(stimulus, 0);
    const read =
      stimulus.kind[0] === RECORDS['mmio.read'].id || stimulus.kind[0] === RECORDS['mmio.write'].id;
    if (read && guest.machine.reserved) out.flags[i]! |= RECORD_FLAGS.reserved;
    for (const { kind, pe, words } of guest.seen)
      out.words.set(words, out.push(RECORDS[kind].id, pe, Number.NaN) * RECORD_WORDS);
  };
  try {
    behaviour.run(guest);
  } catch {
    return undefined;
  }
  return out.full ? undefined : out;
}

/**
 * Writes the trace of a behaviour to `output`, on the hardware of a profile as in `npm run conformance`.
 * @throws GicTraceError `usage` for an unknown behaviour or profile, or if the behaviour does not apply under the profile;
 * `backend` if the experiment cannot be recorded.
 */
export function recordBehaviour(
  id: string,
  profile: string,
  output: string,
  {
    version = VERSION,
    machine,
  }: { readonly version?: string; readonly machine?: (machine: Machine) => void } = {},
): void {
  const behaviour = BEHAVIOURS.find((one) => one.id === id);
  if (behaviour === undefined)
    throw new GicTraceError('usage', `there is no behaviour '${id}'`, {}, 'docs/conformance.md lists them');
  if (PROFILES[profile] === undefined)
    throw new GicTraceError(
      'usage',
      `there is no profile '${profile}'`,
      {},
      `profiles: ${Object.keys(PROFILES).join(', ')}`,
    );
  if (!applies(behaviour, profile))
    throw new GicTraceError('usage', `'${id}' needs ${behaviour.needs.join(', ')}, and '${profile}' has not`);
  const config = configOf(profile, hardwareFor(behaviour, profile), behaviour.pes ?? 2);
  const recording = recordedBehaviour(behaviour, config, machine);
  if (recording === undefined) throw new GicTraceError('backend', `'${id}' cannot be recorded`);
  const writer = new TraceWriter(output, {
    writer: { name: 'gictrace', version },
    config,
    clock: { name: 'none', unitNs: 1 },
    source: { kind: 'conformance', name: id, provenance: {} },
    losses: [],
    seed: null,
    options: {},
  });
  try {
    for (let i = 0; i < recording.count; i++) writer.record(recording, i);
    writer.close({});
  } catch (error) {
    writer.abort();
    throw error;
  }
}
