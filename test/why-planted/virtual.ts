// Faults on the virtual side: vLPIs, vPEs with their doorbells, and the virtual CPU interface. Each needs a recording of a
// hypervisor whose guest acknowledged interrupts.
import { GICR, SYSREGS } from '@gictrace/core/spec';
import type { WhyQuestion } from '@gictrace/query';
import { type Recording, sysregWrite } from '../planting.ts';
import type { Random } from '../torture/random.ts';
import type { Kind } from './choose.ts';
import type { Queued, Survey } from './survey.ts';

const { ICH_VMCR_EL2 } = SYSREGS;
const VALID = 0x8000_0000;

/** A virtual interrupt that a guest acknowledged, and a place between two of its acknowledges. */
function choose(s: Survey, r: Random) {
  const all = s.virtual.filter(({ acknowledges }) => acknowledges.length >= 3);
  if (all.length === 0) return undefined;
  const one = r.pick(all);
  const k = r.below(one.acknowledges.length - 1);
  return { ...one, from: one.acknowledges[k]!, to: one.acknowledges[k + 1]! };
}

/** A VMAPTI whose event has messages. */
const mapped =
  (plant: (t: Recording, r: Random, vmapti: Queued, s: Survey) => boolean): Kind =>
  (t, s, r) => {
    const all = s.commands.filter(
      ({ name, operands, place }) =>
        name === 'VMAPTI' &&
        s.messages.some(
          ({ device, event, places }) =>
            device === operands.DeviceID && event === operands.EventID && places.at(-1)! > place,
        ),
    );
    if (all.length === 0) return undefined;
    const vmapti = r.pick(all);
    if (!plant(t, r, vmapti, s)) return undefined;
    const { DeviceID, EventID, vINTID, vPEID } = vmapti.operands;
    const question: WhyQuestion = r.chance(0.5)
      ? { device: DeviceID!, event: EventID! }
      : { vintid: vINTID!, vpe: vPEID! };
    return question;
  };
/** The command that the vPE of a VMAPTI needs: the last of a name before it. */
const ofVpe = (s: Survey, vmapti: Queued, name: string) =>
  s.commands.findLast(
    (one) => one.name === name && one.place < vmapti.place && one.operands.vPEID === vmapti.operands.vPEID,
  );

export const VIRTUAL: Readonly<Record<string, Kind>> = {
  'VMAPTI left out': mapped((t, _r, vmapti) => {
    t.command(vmapti.place, 'SYNC');
    return true;
  }),
  'VMAPTI of another event': mapped((t, _r, vmapti) => {
    t.command(vmapti.place, 'VMAPTI', { EventID: vmapti.operands.EventID! ^ 1 });
    return true;
  }),
  'VMAPTI to another vPE': mapped((t, _r, vmapti) => {
    t.command(vmapti.place, 'VMAPTI', { vPEID: vmapti.operands.vPEID! ^ 1 });
    return true;
  }),
  'VMAPTI to a vPE that does not exist': mapped((t, _r, vmapti) => {
    t.command(vmapti.place, 'VMAPTI', { vPEID: 99 });
    return true;
  }),
  'VMAPP left out': mapped((t, _r, vmapti, s) => {
    const vmapp = ofVpe(s, vmapti, 'VMAPP');
    if (vmapp === undefined) return false;
    t.command(vmapp.place, 'SYNC');
    return true;
  }),
  'VMAPP unmaps': mapped((t, _r, vmapti, s) => {
    const vmapp = ofVpe(s, vmapti, 'VMAPP');
    if (vmapp === undefined || vmapp.operands.V === 0) return false;
    t.command(vmapp.place, 'VMAPP', { V: 0 });
    return true;
  }),
  'a vPE leaves its PE': (t, s, r) => {
    const found = choose(s, r);
    if (found === undefined) return undefined;
    const writes = s.writes.get(`GICR ${GICR.GICR_VPENDBASER.offset} ${found.pe}`) ?? [];
    const resident = writes.filter((place) => place < found.to && t.rows[place]!.word(5) & VALID).at(-1);
    if (resident === undefined) return undefined;
    // All that make it resident again are left out too.
    for (const place of writes)
      if (place >= resident && t.rows[place]!.word(5) & VALID) {
        const row = t.rows[place]!;
        row.set(4, row.word(4), (row.word(5) & ~VALID) >>> 0);
      }
    return { vintid: found.intid, pe: found.pe };
  },
  'the virtual group disabled': (t, s, r) => {
    const found = choose(s, r);
    if (found === undefined) return undefined;
    t.insert(found.from + 1, sysregWrite(ICH_VMCR_EL2.encoding, found.pe, 0xf800_0000));
    for (const place of s.sysregs.get(`${ICH_VMCR_EL2.encoding} ${found.pe}`) ?? [])
      if (place > found.from) t.rows[place + 1]!.set(1, (t.rows[place + 1]!.word(1) & ~3) >>> 0);
    return { vintid: found.intid, pe: found.pe };
  },
  'the virtual priority mask lowered': (t, s, r) => {
    const found = choose(s, r);
    if (found === undefined) return undefined;
    t.insert(found.from + 1, sysregWrite(ICH_VMCR_EL2.encoding, found.pe, 0x0800_0002));
    return { vintid: found.intid, pe: found.pe };
  },
  'a list register overwritten': (t, s, r) => {
    const found = choose(s, r);
    if (found === undefined) return undefined;
    for (let n = 0; n < 4; n++) {
      const { encoding } = SYSREGS[`ICH_LR${n}_EL2` as 'ICH_LR0_EL2'];
      const last = (s.sysregs.get(`${encoding} ${found.pe}`) ?? []).findLast(
        (place) => place < found.to && place > found.from && t.rows[place]!.word(1) === found.intid,
      );
      if (last === undefined || last >= found.to - 1) continue;
      t.insert(last + 1, sysregWrite(encoding, found.pe, 0));
      return { vintid: found.intid, pe: found.pe };
    }
    return undefined;
  },
  'a virtual EOI left out': (t, s, r) => {
    const found = choose(s, r);
    if (found === undefined) return undefined;
    const ends = [SYSREGS.ICV_EOIR1_EL1, SYSREGS.ICC_EOIR1_EL1].flatMap(
      ({ encoding }) => s.sysregs.get(`${encoding} ${found.pe}`) ?? [],
    );
    const end = ends.find(
      (place) => place > found.from && (t.rows[place]!.word(1) & 0xff_ffff) === found.intid,
    );
    if (end === undefined || end > found.to) return undefined;
    t.remove(end, found.from);
    return { vintid: found.intid, pe: found.pe };
  },
  'a pending doorbell discarded': doorbell('DISCARD'),
  'a pending doorbell cleared': doorbell('CLEAR'),
};

/** A command of the doorbell's event, in the place of a SYNC, while the doorbell is pending. */
function doorbell(name: 'DISCARD' | 'CLEAR'): Kind {
  return (t, s, r) => {
    const bells = s.commands.filter(
      (one) =>
        one.name === 'MAPTI' &&
        s.commands.some((two) => two.name === 'VMAPTI' && two.operands.Dbell_pINTID === one.operands.pINTID),
    );
    const all = bells.flatMap((mapti) =>
      s.taken
        .filter(({ intid }) => intid === mapti.operands.pINTID)
        .flatMap(({ acknowledges, intid }) =>
          acknowledges.flatMap((taken) => {
            const sync = s.commands.findLast((one) => one.name === 'SYNC' && one.place < taken);
            return sync !== undefined && sync.place > taken - 300 ? [{ mapti, sync, intid }] : [];
          }),
        ),
    );
    if (all.length === 0) return undefined;
    const { mapti, sync, intid } = r.pick(all);
    const { DeviceID, EventID } = mapti.operands;
    t.command(sync.place, name, { DeviceID: DeviceID!, EventID: EventID! });
    return { intid };
  };
}
