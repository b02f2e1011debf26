// What is true of a design whatever it runs: whether it isolates devices, serves MultiMSI and survives a migration. Each is
// measured, by a small scenario that ships.
import {
  type Design,
  type MigratedPart,
  type Operation,
  type Run,
  Translation,
  traitsOf,
} from '@gictrace/core/irqchip';
import { libraryPath, readScenario, type Scenario, scenario } from '@gictrace/recorder';

/** `not measured` is no `no`: the scenario did not get that far, or a host decides. */
export type Measured = 'yes' | 'no' | 'not measured';

export interface Properties {
  readonly needs: readonly string[];
  /** A device cannot run another one's handler. */
  readonly isolates: Measured;
  /** Why `isolates` is not measured. */
  readonly isolatesWhy: string | null;
  /**
   * What VFIO does with a device of this domain: `yes`, it assigns it, and rightly; `refused`, because the domain does not say
   * that it isolates; `trusted wrongly`, because it says so and does not.
   */
  readonly vfio: 'yes' | 'refused' | 'trusted wrongly' | 'trusted, not measured';
  /** `one PE`: all vectors are delivered, on the PE of the first. */
  readonly multiMsi: Measured | 'one PE';
  /** `with the host`: only if the host carries the messages that it gave to devices. */
  readonly migrates: Measured | 'with the host';
}

const shipped = (name: string): Scenario => readScenario(libraryPath(name));

/** A migration with a message on its way to a busy PE; after it, devices send more. */
const migration = (without: MigratedPart): Scenario =>
  scenario('a migration with messages on their way', { pes: 2 })
    .device('nic', { id: 8, vectors: 2 })
    .online(0, 1)
    .alloc('nic')
    .activate('nic/0', 0)
    .activate('nic/1', 1)
    .unmask('nic/0')
    .unmask('nic/1')
    .busy([1], 3)
    .fire('nic/1')
    .migrate(without)
    .fire('nic/0')
    .fire('nic/1')
    .build();

function run(design: Design, { operations, pes, blocks }: Scenario, more: readonly Operation[] = []): Run {
  const translation = new Translation(design, pes, {}, blocks);
  for (const operation of operations) translation.take(operation);
  for (const operation of more) translation.take(operation);
  return translation.finish();
}

const works = ({ deliveries: d }: Run): boolean => d.fired > 0 && d.delivered === d.fired;

function isolation(design: Design): { readonly is: Measured; readonly why: string | null } {
  const isOfVpes = design.serves === 'vpes';
  // The device whose message is spoofed sends it, too: if that does nothing, spoofing it shows nothing.
  const own: Operation[] = isOfVpes ? [] : [{ op: 'fire', device: 16, vector: 0 }];
  const made = run(design, shipped(isOfVpes ? 'isolation-vlpi' : 'isolation'), own);
  if ([...made.unsupported.keys()].some((what) => what.startsWith('forge')))
    return { is: 'not measured', why: 'the host decides what a device may write' };
  if (made.deliveries.unauthorised > 0) return { is: 'no', why: null };
  if (!isOfVpes && !works(made))
    return { is: 'not measured', why: 'the message of the device itself does nothing' };
  return { is: 'yes', why: null };
}

function multiMsi(design: Design): Properties['multiMsi'] {
  if (design.serves === 'vpes') return 'not measured';
  const made = run(design, shipped('multi-msi'));
  if (!works(made)) return 'no';
  return made.deliveries.misrouted > 0 ? 'one PE' : 'yes';
}

function migrates(design: Design): Properties['migrates'] {
  if (design.serves === 'vpes') return 'not measured';
  if (!works(run(design, shipped('fire')))) return 'not measured';
  const moved = run(design, migration('nothing'));
  // The model of its GIC has no migration.
  if ([...moved.unsupported.keys()].some((what) => what.startsWith('migrate:'))) return 'not measured';
  if (!works(moved)) return 'no';
  return works(run(design, migration('host'))) ? 'yes' : 'with the host';
}

function vfio(isolates: Measured, saysIsolated: boolean): Properties['vfio'] {
  if (!saysIsolated) return 'refused';
  if (isolates === 'yes') return 'yes';
  return isolates === 'no' ? 'trusted wrongly' : 'trusted, not measured';
}

const known = new Map<string, Properties>();

/** The properties of a design. */
export function propertiesOf(design: Design): Properties {
  const before = known.get(design.name);
  if (before !== undefined) return before;
  const { needs, saysIsolated } = traitsOf(design.name);
  const { is, why } = isolation(design);
  const properties: Properties = {
    needs,
    isolates: is,
    isolatesWhy: why,
    vfio: vfio(is, saysIsolated),
    multiMsi: multiMsi(design),
    migrates: migrates(design),
  };
  known.set(design.name, properties);
  return properties;
}
