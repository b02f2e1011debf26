// The collection of an INVALL that the source does not contain. QEMU does an INVALL for all collections and does not print
// its ICID, so the trace has a command with ICID 0. An implementation that invalidates one collection must be given the
// right one. It follows from what the command did, or from the command before it:
//
//   MAPC ICID 3 RDbase 3 · SYNC · INVALL        Linux and others: the collection that was just mapped
//   INVALL, and then LPI 8195 is enabled        the collection of 8195
import { decodeCommand } from '@gictrace/core/spec';

const INVALL = 0xd;
const ICID_MASK = 0xffff;

/** An INVALL in a queue that has not been executed yet, or of which it is not known for which collection it was. */
interface Pending {
  /** The stimulus that wrote it to the queue, counted from 0. */
  readonly n: number;
  readonly its: number;
}

export class Collections {
  /** By stimulus, a queue.write of an INVALL: the ICID that it must have had. */
  readonly found = new Map<number, number>();
  private readonly queued: Pending[] = [];
  /** By the stimulus that executed it: an INVALL of which nothing is known so far. */
  private readonly open = new Map<number, Pending>();
  /** By ITS: the ICID of the MAPC before, with nothing but SYNC in between. */
  private readonly mapped = new Map<number, number>();
  /** By INTID, the ICID of its event; by DeviceID and EventID, its INTID. */
  private readonly ofIntid = new Map<number, number>();
  private readonly intids = new Map<string, number>();
  /** INTIDs whose configuration has become known since the last command. */
  private learnt: number[] = [];

  /** Stimulus `n` wrote a command, whose words begin at `at`, to the queue of an ITS. */
  queues(words: Uint32Array, at: number, its: number, n: number): void {
    if ((words[at]! & 0xff) === INVALL) this.queued.push({ n, its });
  }

  /** The configuration of an LPI has become known. */
  learns(intid: number): void {
    this.learnt.push(intid);
  }

  /** The trace contains, or the simulator executed, a command that the ITS executed because of stimulus `n`. */
  executes(words: Uint32Array, at: number, its: number): void {
    const command = decodeCommand(words, at);
    if (command === undefined) return;
    const { name, operands } = command;
    if (name === 'SYNC' || name === 'INVALL') return;
    this.mapped.delete(its);
    const event = `${its} ${operands.DeviceID} ${operands.EventID}`;
    if (name === 'MAPC' && operands.V === 1) this.mapped.set(its, operands.ICID!);
    else if (name === 'MAPTI' || name === 'MAPI') {
      const intid = name === 'MAPI' ? operands.EventID! : operands.pINTID!;
      this.intids.set(event, intid);
      this.ofIntid.set(intid, operands.ICID!);
    } else if (name === 'MOVI') {
      const intid = this.intids.get(event);
      if (intid !== undefined) this.ofIntid.set(intid, operands.ICID!);
    }
  }

  /** The trace contains an INVALL, executed because of stimulus `n`. `shown`: whether it has the ICID. */
  invalidates(its: number, n: number, shown: boolean): void {
    const at = this.queued.findIndex((pending) => pending.its === its);
    const [pending] = at < 0 ? [] : this.queued.splice(at, 1);
    const { learnt } = this;
    this.learnt = [];
    if (pending === undefined || shown) return;
    const icid = learnt.map((intid) => this.ofIntid.get(intid)).find((one) => one !== undefined);
    const before = this.mapped.get(its);
    if (icid !== undefined) this.found.set(pending.n, icid);
    else if (before !== undefined) this.found.set(pending.n, before);
    else this.open.set(n, pending);
    this.mapped.delete(its);
  }

  /** An LPI's configuration, which became known later, must have been read at stimulus `n`. */
  wasRead(intid: number, n: number): void {
    const pending = this.open.get(n);
    const icid = this.ofIntid.get(intid);
    if (pending === undefined || icid === undefined) return;
    this.found.set(pending.n, icid);
    this.open.delete(n);
  }
}

/** Puts the ICID into an INVALL whose words begin at `at`. */
export function putCollection(words: Uint32Array, at: number, icid: number): void {
  words[at + 4] = (words[at + 4]! & ~ICID_MASK) | icid;
}
