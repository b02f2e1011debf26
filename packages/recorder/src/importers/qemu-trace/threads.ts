// Which PE a line is about: by the affinity that it prints, or by the host thread that it comes from.

import { type Identity, peOf } from '../common/identity.ts';
import type { Group } from './group.ts';
import type { Token } from './tokenize.ts';

export class Threads {
  private readonly group: Group;
  private readonly identity: Identity;
  private readonly threads = new Map<number, number>();
  /** The thread that each PE runs on. */
  private readonly threadOfPe = new Map<number, number>();

  constructor(group: Group, identity: Identity) {
    this.group = group;
    this.identity = identity;
  }

  /** The PE with an affinity as QEMU prints it. */
  pe(affinity: number): number {
    const pe = peOf(affinity);
    this.identity.showPe(pe);
    return pe;
  }

  /** A line of a thread names the PE that it runs. A PE that has another thread of its own contradicts it. */
  nameThread(t: Token, pe: number): void {
    if (t.thread === 0) return;
    const known = this.threads.get(t.thread);
    if (known === pe) return;
    const own = this.threadOfPe.get(pe);
    if (known !== undefined && own !== undefined && own !== t.thread) {
      this.group.conflict('pe', [known, 0], [pe, 0], this.group.lineNumber);
      return;
    }
    this.threads.set(t.thread, pe);
    this.threadOfPe.set(pe, t.thread);
  }

  /** The PE that a line's thread runs, or -1. */
  peOfThread(t: Token): number {
    return t.thread === 0 ? -1 : (this.threads.get(t.thread) ?? -1);
  }
}
