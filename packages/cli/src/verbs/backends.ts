// `gictrace backends`: what traces can be replayed on. With --profiles: what each profile is and where it deviates from
// the architecture, with the evidence.
import { CHOICES, PROFILES, type Profile } from '@gictrace/core/profile';
import type { Command } from 'commander';
import { json, print } from '../context.ts';

const QEMU_ITSELF = {
  backend: 'qemu',
  doc: "A real QEMU's virt machine (docs/qemu.md); qemu:COMMAND runs another command than qemu-system-aarch64.",
};
const KVM = {
  backend: 'kvm',
  doc: "KVM's vGIC, on this host or in an emulated machine (docs/kvm.md); kvm:COMMAND runs another adapter than $GICTRACE_KVM.",
};
const PROCESS = {
  backend: 'exec:COMMAND',
  doc: 'A process that speaks the adapter protocol (docs/adapter.md); gictrace adapter-test tests one.',
};

function value(of: unknown): string {
  return Array.isArray(of)
    ? of.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(', ')
    : typeof of === 'number'
      ? `0x${of.toString(16)}`
      : `${of}`;
}

/** A description of the hardware of a profile. */
function hardware({ hardware: h }: Profile): string {
  const parts = [
    h.virtualLpis === 'none' ? `GICv${h.architecture}` : `GICv${h.virtualLpis}`,
    `${32 * h.lines - 32} SPIs`.replace('992 SPIs', '988 SPIs'),
    h.its === 0 ? 'no ITS' : h.its === 1 ? 'an ITS' : `${h.its} ITSs`,
    h.directLpi && 'Direct LPI',
    h.twoSecurityStates && 'two Security states',
    h.mbis && 'message-based SPIs',
    h.oneOfN && '1 of N SPIs',
    h.extendedSpis > 0 && `${32 * h.extendedSpis} extended SPIs`,
    h.extendedPpis > 0 && `${h.extendedPpis} extended PPIs`,
    h.nmi && 'NMI',
  ];
  return parts.filter(Boolean).join(', ');
}

function profileLines(profile: Profile): string[] {
  const lines = [`simulator@${profile.name}`, `  ${profile.doc}`, `  hardware: ${hardware(profile)}`];
  if (profile.deviations.length === 0) lines.push('  no deviation from the choices of the architecture');
  for (const { choice, value: own, evidence } of profile.deviations) {
    const { architecture, doc } = CHOICES[choice];
    lines.push(
      `  ${choice} = ${value(own)} (architecture: ${value(architecture)}): ${doc}`,
      `      ${evidence}`,
    );
  }
  return lines;
}

export function addBackends(program: Command): void {
  program
    .command('backends')
    .description('list what a trace can be replayed on')
    .option(
      '--profiles',
      'describe each profile of the simulator and where it deviates from the architecture',
    )
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  gictrace backends --profiles')
    .action((options: { profiles?: boolean; json?: boolean }) => {
      const profiles = Object.values(PROFILES);
      if (options.json) {
        const list = profiles.map(({ name, doc, hardware: own, deviations }) => ({
          backend: `simulator@${name}`,
          doc,
          ...(options.profiles
            ? {
                hardware: own,
                deviations: deviations.map((one) => ({
                  ...one,
                  architecture: CHOICES[one.choice].architecture,
                })),
              }
            : {}),
        }));
        print(json([...list, QEMU_ITSELF, KVM, PROCESS]));
        return;
      }
      if (options.profiles) print(profiles.flatMap(profileLines).join('\n'));
      else {
        for (const { name, doc } of profiles) print(`simulator@${name}  ${doc}`);
        for (const { backend, doc } of [QEMU_ITSELF, KVM, PROCESS]) print(`${backend}  ${doc}`);
      }
    });
}
