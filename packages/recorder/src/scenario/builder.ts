// Scenarios as programs: the verbs of the language as methods. The result is checked like a scenario file.
import type { Allocation, MigratedPart } from '@gictrace/core/irqchip';
import { type Scenario, scenarioOf } from './parse.ts';
import type { ScenarioInput, Step } from './schema.ts';

type Machine = ScenarioInput['machine'];
type Device = NonNullable<ScenarioInput['devices']>[string];

/** Steps, in order. A vector is `device/vector`, such as `nic/0`. */
export class Steps {
  readonly list: Step[] = [];

  private add(step: Step): this {
    this.list.push(step);
    return this;
  }
  private nested(write: (steps: Steps) => unknown): Step[] {
    const steps = new Steps();
    write(steps);
    return steps.list;
  }

  probe = () => this.add({ probe: true });
  reboot = () => this.add({ reboot: true });
  online = (...pes: number[]) => this.add({ online: pes });
  offline = (...pes: number[]) => this.add({ offline: pes });
  /** The PEs take no interrupt for this many operations. */
  busy = (pes: readonly number[], steps: number) => this.add({ busy: [...pes], steps });
  alloc = (device: string) => this.add({ alloc: device });
  free = (device: string) => this.add({ free: device });
  activate = (vector: string, pe: number) => this.add({ activate: vector, pe });
  deactivate = (vector: string) => this.add({ deactivate: vector });
  mask = (vector: string) => this.add({ mask: vector });
  unmask = (vector: string) => this.add({ unmask: vector });
  setAffinity = (vector: string, pe: number) => this.add({ set_affinity: vector, pe });
  setPending = (vector: string) => this.add({ set_pending: vector });
  clearPending = (vector: string) => this.add({ clear_pending: vector });
  retrigger = (vector: string) => this.add({ retrigger: vector });
  fire = (vector: string) => this.add({ fire: vector });
  storm = (vector: string, times: number) => this.add({ storm: vector, times });
  forge = (vector: string, by: string) => this.add({ forge: vector, by });
  /** The `nth` allocation of this kind from here on is refused. */
  fail = (what: Allocation, nth = 1) => this.add({ fail: what, nth });
  migrate = (without: MigratedPart = 'nothing') => this.add({ migrate: { without } });
  vmAlloc = (first: number, vpes: number) => this.add({ vm_alloc: first, vpes });
  vpeMap = (vpe: number, pe: number) => this.add({ vpe_map: vpe, pe });
  vpeUnmap = (vpe: number) => this.add({ vpe_unmap: vpe });
  vpeSchedule = (vpe: number, pe: number) => this.add({ vpe_schedule: vpe, pe });
  vpeDeschedule = (vpe: number, pe: number) => this.add({ vpe_deschedule: vpe, pe });
  vpeBlock = (vpe: number, pe: number) => this.add({ vpe_block: vpe, pe });
  vpeUnblock = (vpe: number, pe: number) => this.add({ vpe_unblock: vpe, pe });
  vpeMove = (vpe: number, pe: number) => this.add({ vpe_move: vpe, pe });
  vlpiMap = (vector: string, vpe: number) => this.add({ vlpi_map: vector, vpe });
  doorbellInvalidate = (vpe: number) => this.add({ doorbell_invalidate: vpe });
  doorbellMask = (vpe: number) => this.add({ doorbell_mask: vpe });
  doorbellUnmask = (vpe: number) => this.add({ doorbell_unmask: vpe });
  doorbellClear = (vpe: number) => this.add({ doorbell_clear: vpe });
  doorbellSet = (vpe: number) => this.add({ doorbell_set: vpe });
  doorbellRelease = (vpe: number) => this.add({ doorbell_release: vpe });
  repeat = (times: number, write: (steps: Steps) => unknown) =>
    this.add({ repeat: times, steps: this.nested(write) });
  /** Interleaves lists of steps. Each list keeps its own order; the seed decides which list is next. */
  interleave = (seed: number, ...writers: readonly ((steps: Steps) => unknown)[]) =>
    this.add({ interleave: writers.map((write) => this.nested(write)), seed });
}

/** `scenario('a move', { pes: 2 }).device('nic', { id: 8, vectors: 4 }).online(0, 1)….build()` */
export class ScenarioBuilder extends Steps {
  private readonly name: string;
  private readonly machine: Machine;
  private readonly devices: Record<string, Device> = {};

  constructor(name: string, machine: Machine) {
    super();
    this.name = name;
    this.machine = machine;
  }

  device(name: string, device: Device): this {
    this.devices[name] = device;
    return this;
  }

  /** @throws GicTraceError `usage` with the path to what is wrong. */
  build(): Scenario {
    return scenarioOf({
      scenario: this.name,
      machine: this.machine,
      devices: this.devices,
      steps: this.list,
    });
  }
}

export function scenario(name: string, machine: Machine): ScenarioBuilder {
  return new ScenarioBuilder(name, machine);
}
