// The virtual side of one pass over a trace: the lifetimes of the vINTIDs asked about, in virtual pending tables and in list
// registers, what blocked each, and when the conditions on their way changed. And for each masking reason the record that
// brought it about.
import {
  listRegisterHeldBy,
  listRegisterOf,
  type Machine,
  pendingListRegister,
  type VirtualGate,
  virtuallyHeldBy,
  vlpiConfigAddress,
} from '@gictrace/core/model';
import { KIND, PEND_CAUSES, RECORD_WORDS, type RecordBatch, UNITS } from '@gictrace/core/record';
import { FRAMES, GICR, LPI_FIRST, SYSREGS } from '@gictrace/core/spec';
import type { Lifetime } from '../timeline/lifetimes.ts';
import type { Moment } from '../timeline/moment.ts';
import { NOT_SEEN, type Withdrawals } from '../timeline/withdrawals.ts';
import { type Cause, causeOf, NO_RECORDS, NOT_IN_SOURCE, noRecord } from './cause.ts';
import type { Gather } from './gather.ts';
import { type Handled, type Hold, type Story, writeKey } from './gathered.ts';
import { Tracks } from './tracks.ts';

const UNIT_ICH = UNITS.indexOf('ICH');
const HCR = SYSREGS.ICH_HCR_EL2.encoding;
const VMCR = SYSREGS.ICH_VMCR_EL2.encoding;

const VIRTUAL_KINDS = new Uint8Array(256);
for (const name of [
  'vte.write',
  'vpe.resident',
  'vlpi.pended',
  'vlpi.cleared',
  'doorbell.rung',
  'virq.acknowledged',
  'virq.dropped',
  'reg.changed',
  'mem.written',
] as const)
  VIRTUAL_KINDS[KIND[name]] = 1;

/** Whether events of this kind belong to the virtual side. */
export function concernsVirtualSide(kind: number): boolean {
  return VIRTUAL_KINDS[kind] !== 0;
}

/** Where a pending virtual interrupt is: in a virtual pending table, or in list registers of a PE. */
interface Place {
  readonly table: number;
  readonly pe: number;
}

/** A virtual interrupt that is pending. */
interface Pending {
  readonly story: Story;
  readonly place: Place;
  /** Its list register; -1 in a virtual pending table. */
  list: number;
  /** Whether this list register was read since then, as a hypervisor does to save what is in it. */
  isSaved: boolean;
}

export class VirtualSide {
  readonly stories: Story[] = [];
  /** `resident TABLE` (the PE, or -1), `HCR PE` and `VMCR PE` (as they are stored). */
  readonly tracks = new Tracks();
  private readonly machine: Machine;
  private readonly vintids: ReadonlySet<number>;
  private readonly vpe: number | undefined;
  private readonly withdrawals: Withdrawals;
  private readonly open = new Map<string, Pending>();
  private readonly running: Handled[][];
  /** By virtual pending table: the PE where its vPE was resident last. */
  private readonly lastPe = new Map<number, number>();
  /** By vPEID: its virtual pending table. */
  private readonly tables = new Map<number, number>();
  /** Writes to configuration bytes, by vINTID. */
  private readonly configured = new Map<number, number>();

  constructor(
    machine: Machine,
    vintids: ReadonlySet<number>,
    vpe: number | undefined,
    withdrawals: Withdrawals,
  ) {
    this.machine = machine;
    this.vintids = vintids;
    this.vpe = vpe;
    this.withdrawals = withdrawals;
    this.running = Array.from({ length: machine.state.peCount }, () => []);
    for (let pe = 0; pe < machine.state.peCount; pe++) {
      this.tracks.set(`HCR ${pe}`, -1, machine.state.virtual.hcr[pe]!);
      this.tracks.set(`VMCR ${pe}`, -1, machine.state.virtual.vmcr[pe]!);
    }
  }

  /** Takes an event; `command` is the command that caused it, or -1. */
  take(records: RecordBatch, i: number, now: Moment, command: number): void {
    const w = records.words;
    const at = i * RECORD_WORDS;
    const pe = records.pe[i]!;
    switch (records.kind[i]) {
      case KIND['vte.write']:
        if (w[at + 2] !== 0) this.tables.set(w[at + 1]!, w[at + 5]! * 2 ** 32 + w[at + 4]!);
        return;
      case KIND['vpe.resident']:
        this.tracks.set(`resident ${tableAt(w, at)}`, now.record, w[at + 3] === 0 ? -1 : pe, command);
        if (w[at + 3] !== 0) this.lastPe.set(tableAt(w, at), pe);
        return;
      case KIND['vlpi.pended']:
        if (this.vintids.has(w[at + 2]!) && this.isAsked(tableAt(w, at)))
          this.begin({ table: tableAt(w, at), pe: -1 }, w[at + 2]!, pe, PEND_CAUSES[w[at + 3]!]!, now);
        return;
      case KIND['vlpi.cleared']: {
        const key = keyOf({ table: tableAt(w, at), pe: -1 }, w[at + 2]!);
        const found = this.open.get(key);
        if (found === undefined) return;
        found.story.lifetime.withdrawal = this.withdrawals.ofVirtual(records, i, w[at + 2]!);
        found.story.withdrawnBy = command;
        found.story.lifetime.withdrawn = now;
        this.close(key, now);
        return;
      }
      case KIND['doorbell.rung']: {
        const found = this.open.get(keyOf({ table: tableAt(w, at + 1), pe: -1 }, w[at + 3]!));
        if (found !== undefined) found.story.doorbell ??= { intid: w[at]!, since: now.record };
        return;
      }
      case KIND['virq.acknowledged']:
        this.acknowledged(pe, w[at]!, w[at + 3]! | 0, now);
        return;
      case KIND['virq.dropped']: {
        const stack = this.running[pe]!;
        const k = stack.findLastIndex((one) => one.intid === w[at]);
        stack.splice(k < 0 ? stack.length - 1 : k, 1);
        const story = this.stories.findLast(
          ({ lifetime }) =>
            lifetime.intid === w[at] && lifetime.pe === pe && lifetime.acknowledged !== undefined,
        );
        if (story !== undefined) story.lifetime.eoi ??= now;
        return;
      }
      case KIND['reg.changed']:
        if (w[at] === UNIT_ICH) this.register(w[at + 1]!, w[at + 2]!, w[at + 3]!, now);
        return;
      case KIND['mem.written']:
        this.memory(w[at + 1]! * 2 ** 32 + w[at]!, w[at + 2]!, now);
        return;
      default:
    }
  }

  private isAsked(table: number): boolean {
    return this.vpe === undefined || this.tables.get(this.vpe) === table;
  }

  private register(pe: number, register: number, low: number, now: Moment): void {
    if (register === HCR) this.tracks.set(`HCR ${pe}`, now.record, low);
    else if (register === VMCR) this.tracks.set(`VMCR ${pe}`, now.record, low);
    else if (listRegisterOf(register) >= 0) this.listRegister(pe, now);
  }

  /** A list register was written: an interrupt asked about may have become pending there, or may have been overwritten. */
  private listRegister(pe: number, now: Moment): void {
    for (const vintid of this.vintids) {
      const key = keyOf({ table: -1, pe }, vintid);
      const isPending = pendingListRegister(this.machine, pe, vintid) >= 0;
      const found = this.open.get(key);
      if (isPending && found === undefined) this.begin({ table: -1, pe }, vintid, pe, 'list-register', now);
      else if (!isPending && found !== undefined) {
        const { lifetime } = found.story;
        lifetime.withdrawn = now;
        lifetime.withdrawal = { by: 'ICH_LR<n>_EL2', movedTo: found.isSaved ? pe : null };
        this.close(key, now);
      }
    }
  }

  /** A PE reads a system register, which may be a list register. */
  read(pe: number, register: number): void {
    const list = listRegisterOf(register);
    if (list < 0) return;
    for (const one of this.open.values()) if (one.place.pe === pe && one.list === list) one.isSaved = true;
  }

  private memory(address: number, width: number, now: Moment): void {
    for (let pe = 0; pe < this.running.length; pe++)
      for (const vintid of this.vintids) {
        if (vintid < LPI_FIRST) continue;
        const byte = vlpiConfigAddress(this.machine, pe, vintid);
        if (byte >= address && byte < address + width) this.configured.set(vintid, now.record);
      }
  }

  private begin(place: Place, vintid: number, pe: number, cause: string, now: Moment): void {
    const lifetime: Lifetime = {
      intid: vintid,
      pe,
      cause,
      asserted: now,
      pended: now,
      signalled: undefined,
      acknowledged: undefined,
      eoi: undefined,
      deactivated: undefined,
      withdrawn: undefined,
      withdrawal: NOT_SEEN,
    };
    const story: Story = {
      lifetime,
      holds: [],
      withdrawnBy: -1,
      running: undefined,
      virtual: { table: place.table },
      doorbell: undefined,
    };
    this.stories.push(story);
    const list = place.pe < 0 ? -1 : pendingListRegister(this.machine, place.pe, vintid);
    this.open.set(keyOf(place, vintid), { story, place, list, isSaved: false });
  }

  private acknowledged(pe: number, vintid: number, list: number, now: Moment): void {
    this.running[pe]!.push({ intid: vintid, since: now.record });
    if (!this.vintids.has(vintid)) return;
    for (const [key, { story, place }] of this.open) {
      if (story.lifetime.intid !== vintid) continue;
      if (
        list < 0
          ? place.table < 0 || this.tracks.get(`resident ${place.table}`).last?.value !== pe
          : place.pe !== pe
      )
        continue;
      story.lifetime.acknowledged = now;
      story.lifetime.pe = pe;
      this.close(key, now);
      return;
    }
  }

  private close(key: string, now: Moment): void {
    const hold = this.open.get(key)!.story.holds.at(-1);
    if (hold !== undefined) hold.to = now;
    this.open.delete(key);
  }

  /** A stimulus has run. */
  settled(now: Moment): void {
    for (const one of this.open.values()) {
      const { story, place } = one;
      const { intid } = story.lifetime;
      const list = place.pe < 0 ? -1 : pendingListRegister(this.machine, place.pe, intid);
      if (list !== one.list) {
        one.list = list;
        one.isSaved = false;
      }
      const { gate, pe } =
        place.pe < 0
          ? virtuallyHeldBy(this.machine, place.table, intid)
          : listRegisterHeldBy(this.machine, place.pe, Math.max(0, list));
      const last = story.holds.at(-1);
      const handled = pe < 0 ? undefined : this.running[pe]!.at(-1);
      if (last?.gate === gate && last.pe === pe && last.handled === handled) continue;
      if (last !== undefined) last.to = now;
      if (gate === 'signalled to the virtual machine') {
        story.lifetime.signalled ??= now;
        story.lifetime.pe = pe;
      }
      story.holds.push({ gate, pe, from: now, to: undefined, handled, ahead: undefined });
    }
  }

  /** What closed the gate of a hold of a virtual interrupt. */
  causeOfHold(g: Gather, story: Story, hold: Hold): Cause {
    const gate = hold.gate as VirtualGate;
    const { pe } = hold;
    const at = hold.from.record;
    const { table } = story.virtual!;
    const vmcr = (isClosed: (value: number) => boolean, closes: string, never: string) =>
      causeOf(g, this.tracks.get(`VMCR ${pe}`).since(at, isClosed), closes, never);
    // What blocks is in the value that the register has now.
    const now = this.tracks.get(`VMCR ${pe}`).valueAt(at) ?? 0;
    switch (gate) {
      case 'vPE not resident': {
        const away = this.tracks.get(`resident ${table}`).since(at, (value) => value < 0);
        const bell = story.doorbell;
        const rung =
          bell === undefined
            ? 'no doorbell was rung for it'
            : `its doorbell, INTID ${bell.intid}, was rung at record ${bell.since}`;
        const cause = causeOf(
          g,
          away,
          `ends the residency of its vPE; ${rung}`,
          `its vPE has not been resident; ${rung}`,
        );
        // A write that should have made it resident and did not is the first one behind.
        const last = this.lastPe.get(table);
        const next =
          last === undefined
            ? undefined
            : g
                .writesOf(writeKey(FRAMES.indexOf('GICR'), last, GICR.GICR_VPENDBASER.offset))
                .find((record) => record > cause.record && record <= (hold.to?.record ?? g.records));
        return {
          ...cause,
          also: [
            ...cause.also,
            ...(bell === undefined ? [] : [bell.since]),
            ...(next === undefined ? [] : [next]),
          ],
        };
      }
      case 'virtual configuration unknown':
        return noRecord(`its configuration byte: ${NOT_IN_SOURCE}`);
      case 'disabled in the virtual machine': {
        const written = this.configured.get(story.lifetime.intid) ?? -1;
        return written >= 0 && written <= at
          ? {
              record: written,
              also: NO_RECORDS,
              what: 'gives its configuration byte an Enable bit of 0',
              missing: undefined,
            }
          : noRecord('its configuration byte has Enable 0', { what: 'other' });
      }
      case 'virtual interface off':
        return causeOf(
          g,
          this.tracks.get(`HCR ${pe}`).since(at, (value) => (value & 1) === 0),
          `clears ICH_HCR_EL2.En of PE${pe}`,
          `ICH_HCR_EL2.En of PE${pe} has not been set`,
        );
      case 'virtual group disabled':
        return vmcr(
          (value) => (value & 3) === (now & 3),
          'leaves its group disabled in the virtual machine',
          'the virtual machine has not enabled its group',
        );
      case 'virtual priority mask':
        return vmcr(
          (value) => value >>> 24 === now >>> 24,
          'makes its priority no higher than ICV_PMR_EL1',
          'ICV_PMR_EL1 has not been raised above its priority',
        );
      case 'virtual running priority':
        return hold.handled === undefined
          ? noRecord('the virtual machine runs at an active priority whose acknowledge is not in the source')
          : {
              record: hold.handled.since,
              also: NO_RECORDS,
              what: `the virtual machine acknowledges vINTID ${hold.handled.intid}, and no EOI follows before this`,
              missing: undefined,
            };
      case 'behind a virtual interrupt':
        return noRecord('another virtual interrupt has a higher priority');
      default:
        return noRecord(`the virtual machine on PE${pe} is signalled it and does not acknowledge it`);
    }
  }
}

function keyOf({ table, pe }: Place, vintid: number): string {
  return `${table} ${pe} ${vintid}`;
}

/** The address of a virtual pending table, which is in two words. */
function tableAt(words: Uint32Array, at: number): number {
  return words[at + 1]! * 2 ** 32 + words[at]!;
}
