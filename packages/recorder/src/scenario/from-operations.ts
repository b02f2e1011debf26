// Operations as a scenario: the inverse of reading one (parse.ts). Each operation becomes one step, and what the language has
// no verb for is left out.
import type { Operation } from '@gictrace/core/irqchip';
import { Document, isCollection, isMap, visit } from 'yaml';
import type { ScenarioInput, Step } from './schema.ts';

type Devices = NonNullable<ScenarioInput['devices']>;
type Device = { -readonly [K in keyof Devices[string]]: Devices[string][K] };

/** The name of a device in a scenario that nobody wrote: its DeviceID. */
const nameOf = (device: number) => `device-0x${device.toString(16)}`;

/**
 * The scenario of some operations. A device that is allocated more than once has the most vectors that it is ever given. Read
 * again, it is the same operations but for those without a verb, if no PE goes offline while vectors are on it.
 */
export function scenarioFromOperations(
  name: string,
  machine: ScenarioInput['machine'],
  operations: readonly Operation[],
): ScenarioInput {
  const devices = new Map<number, Device>();
  const deviceOf = (id: number) => {
    let device = devices.get(id);
    if (device === undefined) devices.set(id, (device = { id, vectors: 1 }));
    return device;
  };
  const steps: Step[] = [];
  for (const o of operations) {
    if (o.op === 'alloc') {
      const device = deviceOf(o.device);
      device.vectors = Math.max(device.vectors, o.count);
      if (o.msi !== undefined) device.kind = o.msi;
      if (o.block !== undefined) device.block = o.block;
    } else if ('vector' in o) {
      const device = deviceOf(o.device);
      device.vectors = Math.max(device.vectors, o.vector + 1);
      if (o.op === 'activate' && o.managed === true) device.managed = true;
      if (o.op === 'forge') deviceOf(o.by);
    }
    const step = stepOf(o);
    if (step !== undefined) steps.push(step);
  }
  return {
    scenario: name,
    machine,
    devices: Object.fromEntries([...devices].map(([id, device]) => [nameOf(id), device])),
    steps,
  };
}

/** The step of an operation; undefined if there is no verb for it. */
function stepOf(o: Operation): Step | undefined {
  switch (o.op) {
    case 'probe':
      return o.reset === true ? { reboot: true } : { probe: true };
    case 'pe.online':
      return { online: [o.pe] };
    case 'pe.offline':
      return { offline: [o.pe] };
    case 'pe.busy':
      return { busy: [o.pe], steps: o.steps };
    case 'alloc':
    case 'free':
      return { [o.op]: nameOf(o.device) };
    case 'fail':
      return { fail: o.what, nth: o.nth };
    case 'migrate':
      return { migrate: { without: o.without } };
    case 'vm.alloc':
      return { vm_alloc: o.vpe, vpes: o.count };
    case 'set_pending':
      return { [o.pending ? 'set_pending' : 'clear_pending']: vectorOf(o) };
    case 'fire.multi':
      return { fire: vectorOf(o) };
    case 'forge':
      return { forge: vectorOf(o), by: nameOf(o.by) };
    case 'vlpi.map':
      return { vlpi_map: vectorOf(o), vpe: o.vpe };
    case 'reconfigure':
    case 'vpe.invalidate':
      return undefined;
    default: {
      const verb = o.op.replace('.', '_');
      const pe = 'pe' in o ? { pe: o.pe } : {};
      return 'vpe' in o ? { [verb]: o.vpe, ...pe } : { [verb]: vectorOf(o), ...pe };
    }
  }
}

const vectorOf = ({ device, vector }: { readonly device: number; readonly vector: number }) =>
  `${nameOf(device)}/${vector}`;

/** A scenario as YAML, a step a line, below some lines of comment. */
export function scenarioText(scenario: ScenarioInput, comment: readonly string[] = []): string {
  const document = new Document(scenario);
  document.commentBefore = comment.map((line) => ` ${line}`).join('\n');
  visit(document, {
    Collection: (_key, node, path) => {
      // The scenario and its lists as blocks; a device, a step and the machine in one line.
      const isLine =
        path.some((one) => isMap(one)) && isMap(node) && node.items.length > 0 && path.length > 3;
      if (isCollection(node) && isLine) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
