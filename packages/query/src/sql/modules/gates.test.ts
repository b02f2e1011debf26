// Waits and lives against another model: at random moments of random traces the state is read as software would read it
// (gic_state's rows), and what each pending interrupt waits for is worked out from these words alone.
import { Machine, step } from '@gictrace/core/model';
import { type Hardware, PROFILES } from '@gictrace/core/profile';
import type { RecordBatch } from '@gictrace/core/record';
import { afterAll, describe, expect, it } from 'vitest';
import { stateRows } from '../../database/state/rows.ts';
import { type Cell, loadTraces, QueryDatabase } from '../../index.ts';
import { generated } from '../../testing/generated.ts';
import { scratch } from '../../testing/synthetic.ts';

const folder = scratch();
afterAll(() => folder.dispose());

const STEPS = 1200;
const EVERY = 41;

/** What software sees of a GIC. */
class Seen {
  private readonly registers = new Map<string, number>();
  readonly interrupts: { intid: number; pe: number | null; text: string }[] = [];
  private readonly told = new Map<string, number>();

  constructor(batch: RecordBatch, count: number, machine: Machine) {
    for (let i = 0; i < count; i++) step(machine, batch, i);
    for (const [kind, name, instance, value, text] of stateRows(machine)) {
      const pe = instance === null ? null : Number(instance);
      if (kind === 'register') this.registers.set(`${name} ${pe ?? ''}`, Number(BigInt.asUintN(64, value!)));
      else if (kind === 'interrupt') this.interrupts.push({ intid: Number(value), pe, text });
      else if (kind === 'pe') this.told.set(`${name} ${pe}`, Number(value));
    }
  }

  register(name: string, pe: number | null): number {
    const value = this.registers.get(`${name} ${pe ?? ''}`);
    if (value === undefined) throw new Error(`${name} ${pe}`);
    return value;
  }

  of(name: string, pe: number): number {
    return this.told.get(`${name} ${pe}`)!;
  }
}

/** What a pending interrupt waits for, by IHI 0069 and the words that software reads; one Security state. */
function gateOf(seen: Seen, intid: number, owner: number | null, text: string, wakerGates: boolean): string {
  const words = text.split(' ');
  const isLpi = intid >= 8192;
  if (isLpi && !(seen.register('GICR_CTLR', owner) & 1)) return 'LPIs disabled';
  if (text.includes('configuration unknown')) return 'configuration unknown';
  if (words.includes('active')) return 'active';
  if (!words.includes('enabled')) return 'disabled';
  const group1 = isLpi || text.includes('Group 1');
  if (!(seen.register('GICD_CTLR', null) & (group1 ? 2 : 1))) return 'group disabled in GICD_CTLR';
  let pe = owner;
  if (pe === null) {
    const route = Number(words.at(-1));
    if (route >= 2 ** 31) return 'any';
    pe = route;
    if (pe > 2) return 'no PE';
  }
  if (!(seen.register(group1 ? 'ICC_IGRPEN1_EL1' : 'ICC_IGRPEN0_EL1', pe) & 1))
    return 'group disabled at the PE';
  if (wakerGates && seen.register('GICR_WAKER', pe) & 2) return 'PE asleep';
  const priority = Number(words[words.indexOf('priority') + 1]);
  const running = seen.register('ICC_RPR_EL1', pe);
  if (priority >= seen.register('ICC_PMR_EL1', pe)) return 'priority mask';
  const common = seen.register('ICC_CTLR_EL1', pe) & 1;
  const point = group1 && !common ? seen.register('ICC_BPR1_EL1', pe) - 1 : seen.register('ICC_BPR0_EL1', pe);
  const group = (value: number) => value - (value % 2 ** (point + 1));
  if (running !== 0xff && group(priority) === group(running)) return 'same group priority';
  if (running !== 0xff && group(priority) > group(running)) return 'running priority';
  if (seen.of('hppi INTID', pe) !== intid) return 'behind';
  return 'signalled';
}

const MACHINES: readonly [string, Partial<Hardware>][] = [
  ['architecture', {}],
  ['qemu-virt', PROFILES['qemu-virt']!.hardware],
  ['gic-600', PROFILES['gic-600']!.hardware],
];

describe.each(MACHINES)('waits, profile %s', (profile, hardware) => {
  const gates = new Map<string, number>();
  it.each([1, 2])('are what software would find, seed %i', (seed) => {
    const { batch, config, source } = generated(
      profile,
      { ...hardware, twoSecurityStates: false },
      seed,
      STEPS,
    );
    const path = folder.path(`${profile}.${seed}.db`);
    loadTraces(path, [source]);
    const db = new QueryDatabase(path);
    const rows = (sql: string): Cell[][] => [...db.ask(sql).rows].map((row) => [...row]);
    const waits = rows('SELECT INTID, pe, from_record, to_record, gate, behind FROM waits').map((row) =>
      row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)),
    );
    const idle = rows(
      'SELECT INTID, pe, pended, acknowledged, withdrawn FROM interrupts WHERE pended IS NOT NULL',
    ).map((row) => row.map((cell) => (cell === null ? null : Number(cell))));
    for (let at = EVERY; at < STEPS; at += EVERY) {
      const seen = new Seen(batch, at + 1, new Machine(config));
      for (const { intid, pe, text } of seen.interrupts) {
        if (!/\bpending\b/.test(text)) continue;
        const gate = gateOf(seen, intid, pe, text, PROFILES[profile]!.wakerGates);
        // Of 1 of N the PE is a choice; a level that goes on being up while its interrupt is active is no new interrupt yet.
        if (gate === 'any' || (gate === 'active' && text.includes('asserted level'))) continue;
        const found = waits.filter(
          ([of, on, from, to]) =>
            of === intid &&
            (pe === null || on === pe) &&
            Number(from) <= at &&
            (to === null || Number(to) > at),
        );
        const where = `${profile}, seed ${seed}, record ${at}: INTID ${intid} on ${pe}: ${text}`;
        const shown = found.map(([, , , , one]) => one);
        // An idle PE that is told of it: no row, but a life.
        if (shown.length === 0 && gate === 'signalled') {
          const alive = idle.some(
            ([of, , pended, acknowledged, withdrawn]) =>
              of === intid && pended! <= at && (acknowledged ?? withdrawn ?? STEPS) > at,
          );
          expect(alive, where).toBe(true);
        } else if (gate === 'same group priority') {
          expect(shown.length, where).toBe(1);
          expect(['running priority', 'binary point'], where).toContain(shown[0]);
        } else expect(shown, where).toEqual([gate]);
        gates.set(gate, (gates.get(gate) ?? 0) + 1);
      }
      // And nothing waits that software would not find pending.
      for (const [intid, pe, from, to, gate, behind] of waits) {
        if (Number(from) > at || (to !== null && Number(to) <= at) || gate === 'LPIs disabled') continue;
        const where = `${profile}, seed ${seed}, record ${at}: INTID ${intid} on ${pe}: ${gate}`;
        const own = seen.interrupts.filter(
          (one) => one.intid === intid && (one.pe === null || one.pe === pe) && /\bpending\b/.test(one.text),
        );
        expect(own.length, where).toBe(1);
        expect(behind === null ? null : seen.of('hppi INTID', Number(pe)), where).toBe(behind);
      }
    }
    db.close();
  });

  it('met most gates', () => {
    expect(gates.size, [...gates].join(' ')).toBeGreaterThanOrEqual(5);
  });
});
