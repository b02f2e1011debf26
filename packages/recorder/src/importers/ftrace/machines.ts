// Finds out which host threads run the vCPUs of which virtual machine: by their names, by the timer interrupts that each
// reports, by process ids and by the addresses of KVM's structures. Knows no frames and no records.
import { GicTraceError } from '@gictrace/core';
import { vcpuOf } from './events.ts';
import type { FtraceLine } from './lines.ts';

/** A thread, as far as the lines so far reveal it. */
interface Thread {
  readonly pid: number;
  comm: string;
  tgid: number;
  /** It ran a guest: a line reports what the guest did, or an entry or exit. */
  runs: boolean;
  kvm: bigint | undefined;
  /** By vCPU: how many of its lines were about the timers of that vCPU. */
  readonly timers: Map<number, number>;
  /** The vCPU that a probe names. */
  probed: number;
  /** The last line was about an ioctl that sets an input, whose effect the next line reports. */
  sets: boolean;
  /** It reported the change of an input. */
  changes: boolean;
  readonly firstLine: number;
}

export interface Machine {
  /** What a message calls it. */
  readonly name: string;
  readonly vcpus: ReadonlyMap<number, readonly number[]>;
  readonly pids: ReadonlySet<number>;
  readonly tgids: ReadonlySet<number>;
  readonly kvms: ReadonlySet<bigint>;
}

export interface Chosen extends Machine {
  /** The vCPU of each thread, and whether its name reveals it. */
  readonly vcpuOf: ReadonlyMap<number, { readonly vcpu: number; readonly byName: boolean }>;
  /** There is no other machine in the log. */
  readonly isOnly: boolean;
  /** Threads of other machines. */
  readonly others: ReadonlySet<number>;
  /** Threads that set inputs may be of this machine or of another. */
  readonly missesInputs: boolean;
}

/** At least this part of a thread's lines about timers has to be about one vCPU; interrupts of others may come between. */
const MOST = 0.9;
/** Most machines among which threads are divided by their ids. */
const DIVIDED_MAX = 8;
const PPI_FIRST = 16;
const SPI_FIRST = 32;

export class Machines {
  private readonly threads = new Map<number, Thread>();

  private thread(line: FtraceLine, number: number): Thread {
    let thread = this.threads.get(line.pid);
    if (thread === undefined) {
      thread = {
        pid: line.pid,
        comm: line.comm,
        tgid: -1,
        runs: false,
        kvm: undefined,
        timers: new Map(),
        probed: -1,
        sets: false,
        changes: false,
        firstLine: number,
      };
      this.threads.set(line.pid, thread);
    }
    if (line.tgid >= 0) thread.tgid = line.tgid;
    // A thread is named after it has been created.
    if (line.comm !== '' && vcpuOf(thread.comm) < 0) thread.comm = line.comm;
    return thread;
  }

  /** A line about what a guest did on the thread that printed the line. */
  runs(line: FtraceLine, number: number): void {
    if (line.pid <= 0) return;
    const thread = this.thread(line, number);
    thread.runs = true;
    thread.sets = false;
  }

  /** A line about an input of a vCPU: KVM's timers report theirs on the thread of the vCPU. */
  input(line: FtraceLine, number: number, vcpu: number, intid: number): void {
    if (line.pid <= 0) return;
    const thread = this.thread(line, number);
    thread.changes = true;
    if (!thread.sets && vcpu >= 0 && intid >= PPI_FIRST && intid < SPI_FIRST)
      thread.timers.set(vcpu, (thread.timers.get(vcpu) ?? 0) + 1);
    thread.sets = false;
  }

  /** A line about an ioctl that sets an input line. */
  sets(line: FtraceLine, number: number): void {
    if (line.pid > 0) this.thread(line, number).sets = true;
  }

  /** A probe names the virtual machine for which the thread works, and perhaps its vCPU. */
  probed(line: FtraceLine, number: number, kvm: bigint | undefined, vcpu = -1): void {
    if (line.pid <= 0) return;
    const thread = this.thread(line, number);
    if (kvm !== undefined && (thread.kvm === undefined || vcpu >= 0)) thread.kvm = kvm;
    if (vcpu >= 0) thread.probed = vcpu;
  }

  /** The vCPU that a thread runs; -1 if it runs none, or nothing reveals which. */
  private vcpuOf(thread: Thread): { vcpu: number; byName: boolean } {
    const named = vcpuOf(thread.comm);
    if (thread.probed >= 0) return { vcpu: thread.probed, byName: named === thread.probed };
    if (named >= 0) return { vcpu: named, byName: true };
    if (!thread.runs) return { vcpu: -1, byName: false };
    let sum = 0;
    let most = -1;
    for (const [vcpu, count] of thread.timers) {
      sum += count;
      if (most < 0 || count > thread.timers.get(most)!) most = vcpu;
    }
    const isClear = most >= 0 && thread.timers.get(most)! >= MOST * sum;
    return { vcpu: isClear ? most : -1, byName: false };
  }

  /** The machines in the log. A thread that runs no vCPU belongs to a machine only if its process is known to. */
  list(): Machine[] {
    const groups = new Map<string, Thread[]>();
    const add = (key: string, thread: Thread) => {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [thread]);
      else group.push(thread);
    };
    const loose: Thread[] = [];
    for (const thread of this.threads.values()) {
      if (this.vcpuOf(thread).vcpu < 0 && !thread.runs) continue;
      if (thread.kvm !== undefined) add(`kvm ${thread.kvm}`, thread);
      else if (thread.tgid >= 0) add(`process ${thread.tgid}`, thread);
      else loose.push(thread);
    }
    // A process whose virtual machine one of its threads reveals has one machine.
    for (const [key, group] of [...groups]) {
      if (!key.startsWith('process')) continue;
      const own = [...groups].find(
        ([other, list]) => other.startsWith('kvm') && list.some(({ tgid }) => tgid === group[0]!.tgid),
      );
      if (own === undefined) continue;
      own[1].push(...group);
      groups.delete(key);
    }
    const all = [...groups.values()];
    for (const group of this.divided(loose)) all.push(group);
    return all.map((group) => this.machine(group)).sort((x, y) => Math.min(...x.pids) - Math.min(...y.pids));
  }

  /**
   * Divides threads of which nothing but the vCPU is known. Two threads that run the same vCPU are of two machines. A
   * machine's threads are created in the order of its vCPUs, so their ids ascend. If that leaves one way to divide them,
   * it is taken; otherwise each thread stands alone.
   */
  private divided(loose: readonly Thread[]): Thread[][] {
    const byVcpu = new Map<number, Thread[]>();
    for (const thread of loose) {
      const { vcpu } = this.vcpuOf(thread);
      byVcpu.set(vcpu, [...(byVcpu.get(vcpu) ?? []), thread]);
    }
    if ([...byVcpu.values()].every((list) => list.length === 1))
      return loose.length === 0 ? [] : [[...loose]];
    const columns = [...byVcpu].filter(([vcpu]) => vcpu >= 0).sort(([x], [y]) => x - y);
    const [first] = columns;
    if (first === undefined || byVcpu.has(-1) || first[1].length > DIVIDED_MAX)
      return loose.map((thread) => [thread]);
    const machines = first[1].map((thread) => [thread]).sort((x, y) => x[0]!.pid - y[0]!.pid);
    for (const [, list] of columns.slice(1)) {
      const ways = assignments(machines, list);
      if (ways.length !== 1) return loose.map((thread) => [thread]);
      ways[0]!.forEach((thread, k) => {
        if (thread !== undefined) machines[k]!.push(thread);
      });
    }
    return machines;
  }

  private machine(group: readonly Thread[]): Machine {
    const vcpus = new Map<number, number[]>();
    for (const thread of group) {
      const { vcpu } = this.vcpuOf(thread);
      if (vcpu >= 0) vcpus.set(vcpu, [...(vcpus.get(vcpu) ?? []), thread.pid]);
    }
    const tgids = new Set(group.flatMap(({ tgid }) => (tgid >= 0 ? [tgid] : [])));
    const pids = new Set(group.map(({ pid }) => pid));
    const kvms = new Set(group.flatMap(({ kvm }) => (kvm === undefined ? [] : [kvm])));
    const [first] = [...tgids, ...[...pids].sort((x, y) => x - y)];
    return { name: `${first}`, vcpus, pids, tgids, kvms };
  }

  /**
   * The machine that the trace is of. `vm`: the id of its process or of one of its threads, several of these, or the
   * address of its `struct kvm`, as the log prints them.
   * @throws GicTraceError `input` if there are several and none is chosen, or none is as chosen.
   */
  choose(vm: string | undefined, path: string): Chosen | undefined {
    const machines = this.list();
    let [chosen] = machines;
    if (chosen === undefined) {
      if (vm === undefined) return undefined;
      throw new GicTraceError('input', `has no virtual machine, and --vm is ${vm}`, { path });
    }
    const wanted = vm?.split(',').map((one) => one.trim()) ?? [];
    if (wanted.length === 1) {
      const found = machines.filter((machine) => isNamed(machine, wanted[0]!));
      if (found.length === 0) throw this.unclear(machines, `has no virtual machine ${vm}`, path);
      chosen = found[0]!;
    } else if (wanted.length > 1) {
      const threads = wanted.map((one) => this.threads.get(Number(one)));
      if (threads.some((thread) => thread === undefined))
        throw this.unclear(machines, `has no threads ${vm} of a virtual machine`, path);
      chosen = this.machine(threads as Thread[]);
    }
    const twice = [...chosen.vcpus].find(([, pids]) => pids.length > 1);
    if ((vm === undefined && machines.length > 1) || twice !== undefined)
      throw this.unclear(machines, `has the GICs of ${machines.length} virtual machines`, path, twice);
    const vcpus = new Map<number, { vcpu: number; byName: boolean }>();
    for (const pid of chosen.pids) {
      const one = this.vcpuOf(this.threads.get(pid)!);
      if (one.vcpu >= 0) vcpus.set(pid, one);
    }
    const { pids, tgids } = chosen;
    const isOnly = machines.length === 1 && wanted.length < 2;
    const others = new Set(machines.flatMap((machine) => [...machine.pids]).filter((pid) => !pids.has(pid)));
    const isOpen = ({ pid, tgid }: Thread) =>
      !pids.has(pid) && !others.has(pid) && (tgid < 0 || tgids.size === 0);
    const missesInputs =
      !isOnly && [...this.threads.values()].some((thread) => thread.changes && isOpen(thread));
    return { ...chosen, vcpuOf: vcpus, isOnly, others, missesInputs };
  }

  private unclear(
    machines: readonly Machine[],
    what: string,
    path: string,
    twice?: readonly [number, readonly number[]],
  ): GicTraceError {
    // Threads that could not be divided into machines.
    const alone = machines.filter(({ pids }) => pids.size === 1).length;
    if (twice !== undefined && machines.length === 1)
      return new GicTraceError(
        'input',
        `has two threads that run vCPU ${twice[0]} (${twice[1].join(', ')}): two virtual machines`,
        { path },
        `give the threads of one of them, such as --vm ${twice[1][0]},…`,
      );
    if (alone > 1 && alone === machines.length) {
      const list = machines.flatMap(({ vcpus }) =>
        [...vcpus].map(([vcpu, pids]) => `vCPU ${vcpu}: ${pids.join(', ')}`),
      );
      return new GicTraceError(
        'input',
        'has several virtual machines, and the log does not show which threads belong together',
        { path },
        `give the threads of one of them: --vm PID,PID,… (${list.sort().join('; ')}), or record with the option record-tgid`,
      );
    }
    const list = machines.map(
      ({ name, pids, kvms }) =>
        `--vm ${name} (threads ${[...pids].join(', ')}${kvms.size > 0 ? `, kvm 0x${[...kvms][0]!.toString(16)}` : ''})`,
    );
    return new GicTraceError('input', what, { path }, `give one: ${list.join(' or ')}`);
  }
}

function isNamed({ pids, tgids, kvms }: Machine, name: string): boolean {
  if (/^\d+$/.test(name) && (pids.has(Number(name)) || tgids.has(Number(name)))) return true;
  return /^0x[0-9a-f]{1,16}$/i.test(name) && kvms.has(BigInt(name));
}

/** The ways to give each machine at most one of the threads, with a higher id than it has so far, so that none is left. */
function assignments(
  machines: readonly (readonly Thread[])[],
  threads: readonly Thread[],
): (Thread | undefined)[][] {
  const ways: (Thread | undefined)[][] = [];
  const place = (k: number, way: (Thread | undefined)[]): void => {
    if (ways.length > 1) return;
    if (k === threads.length) {
      ways.push([...way]);
      return;
    }
    machines.forEach((machine, m) => {
      if (way[m] !== undefined || threads[k]!.pid < machine.at(-1)!.pid) return;
      way[m] = threads[k];
      place(k + 1, way);
      way[m] = undefined;
    });
  };
  if (threads.length <= machines.length)
    place(
      0,
      Array.from({ length: machines.length }, () => undefined),
    );
  return ways;
}
