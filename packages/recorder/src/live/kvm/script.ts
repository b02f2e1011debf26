// The shell script that records KVM on an arm64 host: it needs a POSIX shell, root and the tracing file system, and no
// other tool, so it also runs where there is no Node. Tracepoints and probes live in a tracing instance of their own, and
// a process of its own takes everything down when the recording ends, however it ends.

/** Tracepoints without which nothing of a guest's GIC is known. */
const NEEDED = ['kvm_mmio', 'vgic_update_irq_pending'];

/** Tracepoints that say what happens around the GIC; a kernel may lack some. */
const WANTED = [
  'kvm/kvm_irq_line',
  'kvm/kvm_set_irq',
  'kvm/kvm_entry',
  'kvm/kvm_exit',
  'kvm/kvm_wfx_arm64',
  'kvm/kvm_vcpu_wakeup',
  'kvm/kvm_sys_access',
  'irq/irq_handler_entry',
  'irq/irq_handler_exit',
  'ipi/ipi_raise',
  'ipi/ipi_send_cpu',
  'ipi/ipi_entry',
  'ipi/ipi_exit',
];

/** Fields of a struct kvm_msi. */
const MSI = (pointer: string) =>
  `addr=+0(${pointer}):x32 hi=+4(${pointer}):x32 data=+8(${pointer}):u32 flags=+12(${pointer}):x32 devid=+16(${pointer}):u32`;

/** A probe. */
interface Probe {
  /** What the recording lacks without it. */
  readonly shows: string;
  /** `p` or `r`, the event, and what the kernel takes behind them. The first form that the kernel takes is used. */
  readonly forms: readonly string[];
}

/**
 * What tracepoints do not show. Members are named where the kernel's BTF resolves them (Linux 6.6); `$arg<N>` at the return
 * of a function needs Linux 6.9. `import ftrace` goes by the names of events and fields.
 */
export const PROBES: readonly Probe[] = [
  {
    shows: 'which thread is which vCPU of which VM',
    forms: ['p vgic_vcpu kvm_arch_vcpu_ioctl_run kvm=vcpu->kvm:x64 vcpu=vcpu:x64 id=vcpu->vcpu_id:u32'],
  },
  { shows: 'values of SGIs', forms: ['p vgic_sgi vgic_v3_dispatch_sgi vcpu=%x0:x64 sgir=%x1:x64 g1=%x2:u8'] },
  { shows: 'MSIs', forms: [`p vgic_msi vgic_its_inject_msi kvm=%x0:x64 ${MSI('%x1')}`] },
  {
    shows: 'MSIs that a cache of translations serves',
    forms: [
      `r vgic_msi_cached vgic_its_inject_cached_translation kvm=$arg1:x64 ${MSI('$arg2')} ret=$retval:s32`,
    ],
  },
  {
    shows: 'ITS commands and LPI configurations',
    forms: [
      'r rdguest kvm_read_guest kvm=$arg1:x64 gpa=$arg2:x64 len=$arg4:u64 d0=+0($arg3):x64 d1=+8($arg3):x64 d2=+16($arg3):x64 d3=+24($arg3):x64 ret=$retval:s32',
      'p vgic_cmd vgic_its_handle_command kvm=%x0:x64 its=%x1:x64 d0=+0(%x2):x64 d1=+8(%x2):x64 d2=+16(%x2):x64 d3=+24(%x2):x64',
    ],
  },
  {
    shows: 'what is loaded into list registers',
    forms: ['p vgic_lr vgic_v3_populate_lr vcpu=vcpu:x64 intid=irq->intid:u32 lr=lr:u32'],
  },
  {
    shows: 'when KVM takes an interrupt up',
    forms: ['p vgic_queue vgic_queue_irq_unlock kvm=kvm:x64 intid=irq->intid:u32'],
  },
  { shows: 'INTIDs of host interrupts', forms: ['p host_irq generic_handle_domain_irq hwirq=%x1:u32'] },
];

/** The events of all probes. */
const EVENTS = PROBES.flatMap(({ forms }) => forms.map((form) => form.split(' ')[1]!));

/** One line of the script for each form of each probe. */
function probeLines(): string {
  return PROBES.map(({ shows, forms }) => {
    const tries = forms.map((form) => {
      const [kind, event, ...rest] = form.split(' ');
      return `probe ${kind} ${event} '${rest.join(' ')}'`;
    });
    const names = forms.map((form) => form.split(' ')[1]).join(' and no ');
    return `${tries.join(' || ')} || say "this kernel takes no probe ${names}: the recording lacks ${shows}"`;
  }).join('\n');
}

export interface ScriptOptions {
  /** Tracepoints alone, without probes. */
  readonly plain?: boolean;
  /** The size of the ring buffer of each CPU, in KiB; 8,192 if absent. */
  readonly bufferKib?: number;
}

/**
 * The script. It is run as `sh script LOG [COMMAND…]`, writes the text of the trace to LOG, and records while the command
 * runs, or until it gets SIGINT or SIGTERM. If file descriptor 7 is open, it also ends when that is closed. Exit codes: that
 * of the command; 0 without one; 2 for bad use; 3 if this kernel cannot be recorded.
 */
export function kvmScript({ plain = false, bufferKib = 8192 }: ScriptOptions = {}): string {
  return `#!/bin/sh
# Records what KVM's GIC is given, by gictrace: sh SCRIPT LOG [COMMAND...]; then gictrace import ftrace LOG -o TRACE.
T=\${GICTRACE_TRACEFS:-/sys/kernel/tracing}
G=gictrace_$$
I=$T/instances/$G
PROBES='${EVENTS.join(' ')}'
say() { echo "gictrace: record kvm: $*" >&2; }
fail() { say "$*"; exit 3; }

[ $# -ge 1 ] || { say "give a file for the text of the trace"; exit 2; }
LOG=$1
shift
[ -e "$T/trace" ] || mount -t tracefs tracefs "$T" 2> /dev/null
[ -e "$T/trace" ] || fail "there is no tracing file system at $T: mount -t tracefs tracefs $T, as root; a kernel without one lacks CONFIG_FTRACE"
[ -w "$T/trace" ] || fail "$T cannot be written: run this as root"
[ -d "$T/events/kvm" ] || fail "this kernel has no tracepoints of KVM: it lacks CONFIG_KVM, or its module is not loaded"
for event in ${NEEDED.join(' ')}; do
  [ -d "$T/events/kvm/$event" ] || fail "this kernel has no tracepoint kvm:$event, without which nothing of a GIC is known; it must be arm64"
done
: > "$LOG" || exit 2

# Takes everything down. Events are off first, since an event that is on keeps its probe and its instance.
take_down() {
  [ -z "$command" ] || kill "$command" 2> /dev/null
  if [ -d "$I" ]; then
    echo 0 > "$I/tracing_on"
    echo 0 > "$I/events/enable"
    n=0
    until rmdir "$I" 2> /dev/null; do
      n=$((n + 1))
      # A reader of the instance that does not end is one whose recorder was killed.
      [ $n -ne 20 ] || [ -z "$reader" ] || kill "$reader" 2> /dev/null
      [ $n -lt 100 ] || { say "the instance $I is in use and stays"; break; }
      sleep 0.1
    done
  fi
  for event in $PROBES; do
    [ ! -d "$T/events/$G/$event" ] || echo "-:$G/$event" >> "$T/kprobe_events"
  done
}

# probe KIND EVENT DEFINITION
probe() {
  echo "$1:$G/$2 $3" >> "$T/kprobe_events"
} 2> /dev/null

# A process that waits until the recorder has ended, or was killed, which closes its end of the pipe.
guard() {
  trap '' INT TERM HUP
  command= reader=
  while read -r what value; do
    case $what in
      command) command=$value ;;
      reader) reader=$value ;;
    esac
  done
  take_down
}
pipe=$(mktemp -d)/pipe
mkfifo "$pipe" || fail "no pipe can be made at $pipe"
exec 6<&0
guard < "$pipe" 6<&- 7<&- > /dev/null &
guard=$!
exec 9> "$pipe"
rm -r "\${pipe%/*}"
# done_with CODE: everything is taken down before this ends.
done_with() {
  exec 9>&-
  while kill -0 "$guard" 2> /dev/null; do wait "$guard"; done
  exit "$1"
}
stop=
trap 'stop=1' INT TERM HUP

mkdir "$I" || { say "no tracing instance can be made at $I"; done_with 3; }
echo 0 > "$I/tracing_on"
echo ${bufferKib} > "$I/buffer_size_kb" || say "the buffers stay at $(cat "$I/buffer_size_kb") KiB for each CPU"
echo mono > "$I/trace_clock"
echo 1 > "$I/options/record-tgid"
${plain ? '' : probeLines()}
for event in ${NEEDED.map((name) => `kvm/${name}`).join(' ')} ${WANTED.join(' ')}; do
  [ ! -d "$I/events/$event" ] || echo 1 > "$I/events/$event/enable"
done
for event in $PROBES; do
  [ ! -d "$I/events/$G/$event" ] || echo 1 > "$I/events/$G/$event/enable"
done
cat "$I/trace_pipe" > "$LOG" 7<&- 9>&- &
reader=$!
echo "reader $reader" >&9
# Whoever started this, and holds the other end of file descriptor 7, may be killed.
if [ -e /proc/self/fd/7 ]; then { cat <&7 > /dev/null; kill -TERM $$; } 9>&- & watcher=$!; fi
echo 1 > "$I/tracing_on"
code=0
if [ $# -gt 0 ]; then
  "$@" 7<&- 9>&- <&6 6<&- &
  command=$!
  echo "command $command" >&9
  # The shell may have reaped a short command already; wait still knows its code. A signal ends wait before the command ends.
  [ -n "$stop" ] || { wait "$command"; code=$?; }
  while kill -0 "$command" 2> /dev/null && [ -z "$stop" ]; do wait "$command"; code=$?; done
  [ -z "$stop" ] || { kill -TERM "$command" 2> /dev/null; wait "$command"; code=0; }
  echo "command" >&9
else
  say "recording; Ctrl-C ends it"
  while [ -z "$stop" ]; do sleep 0.2; done
fi
trap '' INT TERM HUP
echo 0 > "$I/tracing_on"
# The pipe ends once it is empty and tracing is off.
n=0
while kill -0 "$reader" 2> /dev/null && [ $n -lt 100 ]; do
  n=$((n + 1))
  sleep 0.1
done
kill "$reader" 2> /dev/null
[ -z "$watcher" ] || kill "$watcher" 2> /dev/null
for cpu in "$I"/per_cpu/cpu*; do
  lost=$(sed -n 's/^overrun: //p' "$cpu/stats")
  [ "\${lost:-0}" = 0 ] || say "$lost events of \${cpu##*/} were lost: the buffer of ${bufferKib} KiB was full"
done
done_with "$code"
`;
}
