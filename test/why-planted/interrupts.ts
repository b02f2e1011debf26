// Faults in the registers of the Distributor, the Redistributors and the CPU interfaces.
import { GICD, GICR, SYSREGS } from '@gictrace/core/spec';
import { does, mmioWrite, sysregWrite } from '../planting.ts';
import {
  asked,
  bit,
  choose,
  inserted,
  isLpi,
  isPpi,
  isSgi,
  isSpi,
  type Kind,
  PEACEFUL,
  SECURITY_EXTN,
  sysreg,
  word,
  write,
} from './choose.ts';
import { pes } from './routes.ts';

export const INTERRUPTS: Readonly<Record<string, Kind>> = {
  'a PPI masked': inserted(isPpi, ({ intid, pe }) => write(intid, pe, 'ICENABLER', bit(intid))),
  'an SGI masked': inserted(isSgi, ({ intid, pe }) => write(intid, pe, 'ICENABLER', bit(intid))),
  'an SPI masked': inserted(isSpi, ({ intid, pe }) => write(intid, pe, 'ICENABLER', bit(intid))),
  'all SPIs of a register masked': inserted(isSpi, ({ intid, pe }) =>
    write(intid, pe, 'ICENABLER', 0xffff_ffff),
  ),
  'the priority mask lowered': sysreg(SYSREGS.ICC_PMR_EL1, [0, 0x10, 0x40, 0x80]),
  'Group 1 disabled at the PE': sysreg(SYSREGS.ICC_IGRPEN1_EL1, [0]),
  'an interrupt put into Group 0': inserted(PEACEFUL, ({ intid, pe }) =>
    isLpi(intid) ? undefined : write(intid, pe, 'IGROUPR', ~bit(intid)),
  ),
  'GICD_CTLR disables the groups': inserted(
    () => true,
    (_one, r) => mmioWrite('GICD', 0, GICD.GICD_CTLR.offset, 4, r.pick([0, 0x50, 0x10])),
  ),
  'the PE put to sleep': (t, s, r) => {
    // With two Security states, Linux does not wake its PEs itself.
    if (t.config.gicd.typer & SECURITY_EXTN) return undefined;
    t.config = { ...t.config, profile: 'architecture' };
    return inserted(
      () => true,
      ({ pe }) => mmioWrite('GICR', pe, GICR.GICR_WAKER.offset, 4, 2),
    )(t, s, r);
  },
  'a masked priority': inserted(PEACEFUL, ({ intid, pe }, r) => {
    if (isLpi(intid)) return undefined;
    const value = r.pick([0xf8, 0xff, 0xf0]);
    return intid < 32
      ? mmioWrite('GICR', pe, GICR.GICR_IPRIORITYR.offset + intid, 1, value)
      : mmioWrite('GICD', 0, GICD.GICD_IPRIORITYR.offset + intid, 1, value);
  }),
  'a masked priority, written as a word': inserted(PEACEFUL, ({ intid, pe }) => {
    if (isLpi(intid)) return undefined;
    const at = intid & ~3;
    return intid < 32
      ? mmioWrite('GICR', pe, GICR.GICR_IPRIORITYR.offset + at, 4, 0xf8f8f8f8)
      : mmioWrite('GICD', 0, GICD.GICD_IPRIORITYR.offset + at, 4, 0xf8f8f8f8);
  }),
  'an SPI routed to another PE': inserted(isSpi, ({ intid, pe }, r, t) => {
    if (pes(t) < 2) return undefined;
    return mmioWrite(
      'GICD',
      0,
      GICD.GICD_IROUTER.offset + 8 * (intid - 32),
      8,
      (pe + 1 + r.below(pes(t) - 1)) % pes(t),
    );
  }),
  'an SPI routed to no PE': inserted(isSpi, ({ intid }, r) =>
    mmioWrite('GICD', 0, GICD.GICD_IROUTER.offset + 8 * (intid - 32), 8, r.pick([0x700, 0x100, 0x20000])),
  ),
  'an interrupt made active': inserted(PEACEFUL, ({ intid, pe }) =>
    isLpi(intid) ? undefined : write(intid, pe, 'ISACTIVER', bit(intid)),
  ),
  'EOIs no longer deactivate': (t, s, r) => {
    const found = choose(t, s, r, (intid) => !isLpi(intid) && !isSgi(intid));
    if (found === undefined) return undefined;
    t.insert(found.place, sysregWrite(SYSREGS.ICC_CTLR_EL1.encoding, found.one.pe, 2));
    return asked(found.one, r);
  },
  'an EOI left out': (t, s, r) => {
    const found = choose(t, s, r, () => true);
    if (found === undefined) return undefined;
    const { one, next } = found;
    const end = t.find(does('end', one.intid, one.pe), 0, next);
    if (end - next > 2000) return undefined;
    t.remove(end, next);
    return asked(one, r);
  },
  'an EOI left out, and the question is about another interrupt of the PE': (t, s, r) => {
    const found = choose(t, s, r, () => true);
    if (found === undefined) return undefined;
    const { one, next } = found;
    const end = t.find(does('end', one.intid, one.pe), 0, next);
    if (end - next > 2000) return undefined;
    const others = s.taken.filter(
      ({ intid, pe, acknowledges }) =>
        pe === one.pe && intid !== one.intid && acknowledges.some((place) => place > end),
    );
    if (others.length === 0) return undefined;
    t.remove(end, next);
    const other = r.pick(others);
    return other.intid < 32 ? { intid: other.intid, pe: other.pe } : { intid: other.intid };
  },
  'an EOI of another INTID': (t, s, r) => {
    const found = choose(t, s, r, () => true);
    if (found === undefined) return undefined;
    const { one, next } = found;
    const end = t.find(does('end', one.intid, one.pe), 0, next);
    if (end - next > 2000) return undefined;
    t.rows[end]!.set(1, 1023);
    t.rows[next]!.isPlanted = true;
    return asked(one, r);
  },
  'a pending interrupt cleared': (t, s, r) => {
    const found = choose(t, s, r, (intid) => isSgi(intid));
    if (found === undefined) return undefined;
    t.insert(found.next, write(found.one.intid, found.one.pe, 'ICPENDR', bit(found.one.intid)));
    return { intid: found.one.intid, pe: found.one.pe };
  },
  'an SGI with another target': (t, s, r) => {
    const places = [...s.sysregs]
      .filter(([key]) => key.startsWith(`${SYSREGS.ICC_SGI1R_EL1.encoding} `))
      .flatMap(([, list]) => list);
    if (places.length < 5) return undefined;
    const place = r.pick(places);
    const row = t.rows[place]!;
    const intid = (row.word(1) >>> 24) & 15;
    if (r.chance(0.5)) row.set(1, ((row.word(1) & 0xffff_0000) | 0x8000) >>> 0);
    else row.set(2, 7);
    return { intid };
  },
  'an enable left out': (t, s, r) => {
    const found = choose(t, s, r, (intid) => !isLpi(intid) && !isSgi(intid), 2);
    if (found === undefined) return undefined;
    const { one } = found;
    const isSet = (place: number) => (t.rows[place]!.word(4) & bit(one.intid)) !== 0;
    const key =
      one.intid < 32
        ? `GICR ${GICR.GICR_ISENABLER.offset} ${one.pe}`
        : `GICD ${word(GICD.GICD_ISENABLER, one.intid)} 0`;
    const places = (s.writes.get(key) ?? []).filter((place) => place < one.acknowledges[0]! && isSet(place));
    if (places.length !== 1) return undefined;
    const row = t.rows[places[0]!]!;
    row.set(4, (row.word(4) & ~bit(one.intid)) >>> 0);
    return asked(one, r);
  },
  'a bit of GICD_ISENABLER in the place of its neighbour': (t, s, r) => {
    const found = choose(t, s, r, isSpi, 2);
    if (found === undefined) return undefined;
    const { one } = found;
    const places = (s.writes.get(`GICD ${word(GICD.GICD_ISENABLER, one.intid)} 0`) ?? []).filter(
      (place) => place < one.acknowledges[0]! && (t.rows[place]!.word(4) & bit(one.intid)) !== 0,
    );
    if (places.length !== 1) return undefined;
    t.rows[places[0]!]!.set(4, bit(one.intid ^ 1));
    return asked(one, r);
  },
  'the wrong IROUTER while the driver sets it up': (t, s, r) => {
    const found = choose(t, s, r, isSpi, 2);
    if (found === undefined) return undefined;
    const { one } = found;
    const places = (s.writes.get(`GICD ${GICD.GICD_IROUTER.offset + 8 * (one.intid - 32)} 0`) ?? []).filter(
      (place) => place < one.acknowledges[0]!,
    );
    if (places.length === 0) return undefined;
    t.rows[places.at(-1)!]!.set(4, r.pick([0x100, 0x300, 0x0f]), 0);
    return asked(one, r);
  },
  'ICC_IGRPEN1_EL1 never set': (t, s, r) => {
    const found = choose(t, s, r, PEACEFUL);
    if (found === undefined) return undefined;
    const places = s.sysregs.get(`${SYSREGS.ICC_IGRPEN1_EL1.encoding} ${found.one.pe}`);
    if (places?.length !== 1) return undefined;
    t.rows[places[0]!]!.set(1, 0);
    return { intid: found.one.intid, pe: found.one.pe };
  },
  'ICC_PMR_EL1 never raised': (t, s, r) => {
    const found = choose(t, s, r, PEACEFUL);
    if (found === undefined) return undefined;
    const places = s.sysregs.get(`${SYSREGS.ICC_PMR_EL1.encoding} ${found.one.pe}`);
    if (places?.length !== 1) return undefined;
    t.rows[places[0]!]!.set(1, 0);
    return { intid: found.one.intid, pe: found.one.pe };
  },
  'GICD_CTLR never enables Group 1': (t, s, r) => {
    const found = choose(t, s, r, PEACEFUL);
    if (found === undefined) return undefined;
    const places = (s.writes.get(`GICD ${GICD.GICD_CTLR.offset} 0`) ?? []).filter(
      (place) => (t.rows[place]!.word(4) & 2) !== 0,
    );
    if (places.length !== 1) return undefined;
    t.rows[places[0]!]!.set(4, t.rows[places[0]!]!.word(4) & ~2);
    return asked(found.one, r);
  },
};
