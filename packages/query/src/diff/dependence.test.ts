// Tests the dependence relation: it is well-formed as data, it agrees with its documentation on pairs of records, and
// it is never wrong about the model: stimuli that commute by the relation give the same state and the same responses in
// either order.
import { recordText } from '@gictrace/core/disasm';
import { Machine, step } from '@gictrace/core/model';
import { NO_PE, RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { FRAMES } from '@gictrace/core/spec';
import { StimulusGenerator } from '@gictrace/core/testing';
import { describe, expect, it } from 'vitest';
import { CONFIG, Recording } from '../testing/synthetic.ts';
import { MODES_MAX, RESOURCES } from './dependence.ts';
import { Oracle } from './plant.test-support.ts';

describe('the resources', () => {
  it.each(Object.entries(RESOURCES))(
    '%s: conflicts are symmetric and between its own modes',
    (_name, resource) => {
      const modes: Readonly<Record<string, readonly string[]>> = resource.modes;
      expect(Object.keys(modes).length).toBeLessThanOrEqual(MODES_MAX);
      for (const [mode, others] of Object.entries(modes))
        for (const other of others) expect(modes[other]).toContain(mode);
    },
  );
});

describe('pairs', () => {
  const [GICD, GITS] = [FRAMES.indexOf('GICD'), FRAMES.indexOf('GITS')];
  const dependent = (make: (r: Recording) => void): boolean => {
    const recording = new Recording();
    make(recording);
    const { batch } = recording;
    return new Oracle(CONFIG, batch).dependent(batch.count - 2, batch.count - 1);
  };
  const msi = (r: Recording, DeviceID: number) =>
    r.add('msi.write', NO_PE, { its: 0, DeviceID, EventID: 0, width: 4 });
  const store = (r: Recording, pe: number, address: number) =>
    r.add('mem.write', pe, { address, width: 8, value: 1 });

  const CASES: readonly [string, boolean, (r: Recording) => void][] = [
    [
      'two accesses of one PE',
      true,
      (r) => {
        r.sysreg('write', 0, 'ICC_PMR_EL1', 1);
        r.mmio('read', 0, 'GICD', 4, 0);
      },
    ],
    [
      'accesses of two PEs to their own interfaces',
      false,
      (r) => {
        r.sysreg('write', 0, 'ICC_PMR_EL1', 1);
        r.sysreg('write', 1, 'ICC_PMR_EL1', 1);
      },
    ],
    [
      'two PEs writing one word of the Distributor',
      true,
      (r) => {
        r.mmio('write', 0, 'GICD', 0x104, 1);
        r.mmio('write', 1, 'GICD', 0x104, 2);
      },
    ],
    [
      'two PEs writing words about other SPIs',
      false,
      (r) => {
        r.mmio('write', 0, 'GICD', 0x104, 1);
        r.mmio('write', 1, 'GICD', 0x108, 2);
      },
    ],
    [
      'two registers about the same SPIs',
      true,
      (r) => {
        r.mmio('write', 0, 'GICD', 0x104, 1);
        r.mmio('write', 1, 'GICD', 0x420, 0xa0);
      },
    ],
    [
      'GICD_CTLR and any other register',
      true,
      (r) => {
        r.mmio('write', 0, 'GICD', 0, 1);
        r.mmio('write', 1, 'GICD', 0x104, 1);
      },
    ],
    [
      'two PEs reading identification',
      false,
      (r) => {
        r.mmio('read', 0, 'GICD', 4, 0);
        r.mmio('write', 1, 'GICD', 0, 1);
      },
    ],
    [
      'an SPI and the register that enables it',
      true,
      (r) => {
        r.wire(NO_PE, 40, 1);
        r.mmio('write', 1, 'GICD', 0x104, 0x100);
      },
    ],
    [
      'an SPI and a register about another',
      false,
      (r) => {
        r.wire(NO_PE, 40, 1);
        r.mmio('write', 1, 'GICD', 0x108, 1);
      },
    ],
    [
      'an SPI up and down',
      true,
      (r) => {
        r.wire(NO_PE, 40, 1);
        r.wire(NO_PE, 40, 0);
      },
    ],
    [
      'two SPIs',
      false,
      (r) => {
        r.wire(NO_PE, 40, 1);
        r.wire(NO_PE, 41, 1);
      },
    ],
    [
      'wires of two PPIs of one PE',
      false,
      (r) => {
        r.wire(0, 27, 1);
        r.wire(0, 30, 1);
      },
    ],
    [
      'a PPI and an acknowledge of its PE',
      true,
      (r) => {
        r.wire(0, 27, 1);
        r.sysreg('read', 0, 'ICC_IAR1_EL1', 27);
      },
    ],
    [
      'a PPI and an acknowledge of another PE',
      false,
      (r) => {
        r.wire(0, 27, 1);
        r.sysreg('read', 1, 'ICC_IAR1_EL1', 27);
      },
    ],
    [
      'an SPI and an acknowledge that found nothing',
      true,
      (r) => {
        r.wire(NO_PE, 40, 1);
        r.sysreg('read', 1, 'ICC_IAR1_EL1', 1023);
      },
    ],
    [
      'a message and an acknowledge of an LPI',
      true,
      (r) => {
        msi(r, 8);
        r.sysreg('read', 1, 'ICC_IAR1_EL1', 8200);
      },
    ],
    [
      'a message and an acknowledge of a PPI',
      false,
      (r) => {
        msi(r, 8);
        r.sysreg('read', 1, 'ICC_IAR1_EL1', 27);
      },
    ],
    [
      'messages of one device',
      true,
      (r) => {
        msi(r, 8);
        msi(r, 8);
      },
    ],
    [
      'messages of two devices',
      false,
      (r) => {
        msi(r, 8);
        msi(r, 16);
      },
    ],
    [
      'a message and a command about its device',
      true,
      (r) => {
        msi(r, 8);
        r.command('INV', { DeviceID: 8 });
      },
    ],
    [
      'a message and a command about another device',
      false,
      (r) => {
        msi(r, 8);
        r.command('INV', { DeviceID: 16 });
      },
    ],
    [
      'a message and a command about all',
      true,
      (r) => {
        msi(r, 8);
        r.command('INVALL', {});
      },
    ],
    [
      'a command and the CWRITER that sends it',
      true,
      (r) => {
        r.mmio('write', 0, 'GITS', 0x88, 0x20, 8);
        r.command('INV', { DeviceID: 8 });
      },
    ],
    [
      'a command and the write of its slot',
      true,
      (r) => {
        r.add('queue.write', NO_PE, { address: 0x1000_0060 });
        r.command('INV', { DeviceID: 8 }, { index: 3 });
      },
    ],
    [
      'CREADR and a command',
      true,
      (r) => {
        r.mmio('read', 0, 'GITS', 0x90, 0x20, 8);
        r.command('INV', { DeviceID: 8 });
      },
    ],
    [
      'CREADR and a message',
      false,
      (r) => {
        r.mmio('read', 0, 'GITS', 0x90, 0x20, 8);
        msi(r, 8);
      },
    ],
    [
      'commands about two devices',
      true,
      (r) => {
        r.command('INV', { DeviceID: 8 });
        r.command('INV', { DeviceID: 16 }, { index: 1 });
      },
    ],
    [
      'a register of SPIs and an acknowledge that found nothing',
      true,
      (r) => {
        r.mmio('write', 1, 'GICD', 0x104, 1);
        r.sysreg('read', 0, 'ICC_IAR1_EL1', 1023);
      },
    ],
    [
      'the end of an SPI and its wire',
      true,
      (r) => {
        r.sysreg('write', 0, 'ICC_EOIR1_EL1', 40);
        r.wire(NO_PE, 40, 1);
      },
    ],
    [
      'the deactivation of an SPI and its active bit',
      true,
      (r) => {
        r.sysreg('write', 0, 'ICC_DIR_EL1', 40);
        r.mmio('read', 1, 'GICD', 0x304, 0);
      },
    ],
    [
      'the end of a PPI and the wire of another PE',
      false,
      (r) => {
        r.sysreg('write', 0, 'ICC_EOIR1_EL1', 27);
        r.wire(1, 27, 1);
      },
    ],
    [
      'GICD_CTLR and a read of another register',
      true,
      (r) => {
        r.mmio('write', 0, 'GICD', 0, 1);
        r.mmio('read', 1, 'GICD', 0x104, 1);
      },
    ],
    [
      'GICD_CTLR and an acknowledge',
      true,
      (r) => {
        r.mmio('write', 0, 'GICD', 0, 1);
        r.sysreg('read', 1, 'ICC_IAR1_EL1', 27);
      },
    ],
    [
      'two reads of GICD_CTLR',
      false,
      (r) => {
        r.mmio('read', 0, 'GICD', 0, 1);
        r.mmio('read', 1, 'GICD', 0, 1);
      },
    ],
    [
      'an SGI register and an acknowledge of an SGI elsewhere',
      true,
      (r) => {
        r.sysreg('write', 0, 'ICC_SGI1R_EL1', 2);
        r.sysreg('read', 1, 'ICC_IAR1_EL1', 3);
      },
    ],
    [
      'an SGI register and an acknowledge of a PPI elsewhere',
      false,
      (r) => {
        r.sysreg('write', 0, 'ICC_SGI1R_EL1', 2);
        r.sysreg('read', 1, 'ICC_IAR1_EL1', 27);
      },
    ],
    [
      'two SGIs sent to one PE, and one sent again',
      true,
      (r) => {
        r.add('sgi.sent', 1, { INTID: 3 });
        r.add('sgi.sent', 1, { INTID: 3 });
      },
    ],
    [
      'a message and a Redistributor that configures LPIs',
      true,
      (r) => {
        msi(r, 8);
        r.mmio('write', 1, 'GICR', 0x70, 0x1000, 8);
      },
    ],
    [
      'a message and residency of a vPE',
      true,
      (r) => {
        msi(r, 8);
        r.mmio('write', 1, 'GICR', 0x2_0078, 0x1000, 8);
      },
    ],
    [
      'residency on two PEs',
      true,
      (r) => {
        r.mmio('write', 0, 'GICR', 0x2_0078, 0x1000, 8);
        r.mmio('write', 1, 'GICR', 0x2_0078, 0x1000, 8);
      },
    ],
    [
      'a PPI and the Redistributor of its PE',
      true,
      (r) => {
        r.wire(0, 27, 1);
        r.mmio('read', 0, 'GICR', 0x1_0200, 0);
      },
    ],
    [
      'stores of two PEs to one line',
      true,
      (r) => {
        store(r, 0, 0x1000);
        store(r, 1, 0x1008);
      },
    ],
    [
      'stores of two PEs elsewhere',
      false,
      (r) => {
        store(r, 0, 0x1000);
        store(r, 1, 0x2000);
      },
    ],
    [
      'a store and a command, which may read it',
      true,
      (r) => {
        store(r, 0, 0x1000);
        r.command('INV', { DeviceID: 8 });
      },
    ],
    [
      'what two PEs are told',
      false,
      (r) => {
        r.add('hppi', 0, { INTID: 27 });
        r.add('hppi', 1, { INTID: 27 });
      },
    ],
    [
      'what one PE is told, twice',
      true,
      (r) => {
        r.add('hppi', 0, { INTID: 27 });
        r.add('hppi', 0, { INTID: 1023 });
      },
    ],
    [
      'an access of an unknown PE',
      true,
      (r) => {
        r.mmio('write', NO_PE, 'GICD', 0x104, 1);
        r.sysreg('write', 1, 'ICC_PMR_EL1', 1);
      },
    ],
    [
      'an unknown system register',
      true,
      (r) => {
        r.add('sysreg.write', 0, { register: 0x1ffff });
        r.wire(1, 27, 1);
      },
    ],
    [
      'reads of one entry',
      false,
      (r) => {
        msi(r, 8);
        r.add('cte.read', NO_PE, { ICID: 1 });
        msi(r, 16);
        r.add('cte.read', NO_PE, { ICID: 1 });
        pick(r, 1, 3);
      },
    ],
    [
      'a read and a write of one entry',
      true,
      (r) => {
        msi(r, 8);
        r.add('cte.read', NO_PE, { ICID: 1 });
        r.command('MAPC', { ICID: 1 });
        r.add('cte.write', NO_PE, { ICID: 1 });
        pick(r, 1, 3);
      },
    ],
  ];
  // By recording: two records to compare instead of the last two, with the causes that they had.
  const picked = new WeakMap<Recording, [number, number]>();
  const pick = (r: Recording, i: number, j: number) => picked.set(r, [i, j]);
  it.each(CASES)('%s: %s', (_name, expected, make) => {
    const recording = new Recording();
    make(recording);
    const { batch } = recording;
    const [i, j] = picked.get(recording) ?? [batch.count - 2, batch.count - 1];
    const oracle = new Oracle(CONFIG, batch);
    expect(oracle.dependent(i, j)).toBe(expected);
    expect(oracle.dependent(j, i)).toBe(expected);
  });
  it('knows frames by number', () =>
    expect([
      GICD,
      GITS,
      dependent((r) => {
        msi(r, 1);
        msi(r, 1);
      }),
    ]).toEqual([0, 2, true]));
});

describe('stimuli that commute', () => {
  const isRead = (kind: number) => kind === RECORDS['mmio.read'].id || kind === RECORDS['sysreg.read'].id;

  /**
   * A probe of the model: runs stimuli from a state, and returns the effects and the response of each, and the state
   * afterwards.
   */
  function prober(batch: RecordBatch) {
    const sink = new RecordBatch(1 << 14);
    const probe = new Machine(CONFIG);
    probe.sink = { batch: sink, events: false, full: () => sink.clear() };
    return (order: readonly number[], state: Uint8Array) => {
      probe.state.restore(state);
      probe.invalidate();
      const shown: string[] = [];
      const answers = new Map<number, readonly [number, number]>();
      const tells: number[][] = [];
      for (const i of order) {
        step(probe, batch, i);
        if (isRead(batch.kind[i]!)) answers.set(i, [probe.low, probe.high]);
        const texts: string[] = [];
        const pes: number[] = [];
        for (let k = 0; k < sink.count; k++) {
          texts.push(recordText(sink, k));
          if (sink.kind[k] === RECORDS.hppi.id || sink.kind[k] === RECORDS.vhppi.id) pes.push(sink.pe[k]!);
        }
        tells.push(pes);
        shown.push(`${i}: ${answers.get(i) ?? ''} ${texts.join('; ')}`);
        sink.clear();
      }
      return { answers, shown: shown.sort(), tells, digest: () => probe.state.digest() };
    };
  }

  // Without what PEs are signalled, the stimuli alone must commute. With it, they must commute if both have the same
  // effects in either order.
  it.each([
    [1, false],
    [103, false],
    [2, false],
    [3, true],
    [4, true],
  ])('give the model the same state and answers in either order, seed %i, told %s', (seed, told) => {
    const generator = new StimulusGenerator(CONFIG, seed);
    const batch = new RecordBatch(900);
    while (batch.count < 350) generator.next(batch);
    const run = prober(batch);
    const sink = new RecordBatch(1 << 14);
    const machine = new Machine(CONFIG);
    machine.sink = { batch: sink, events: false, full: () => sink.clear() };
    const oracle = new Oracle(CONFIG, batch, told);
    let tried = 0;
    for (let i = 0; i + 1 < batch.count; i++) {
      if (i % 2 === 0) {
        const state = machine.state.save();
        for (let j = i + 1; j < Math.min(batch.count, i + 4); j++) {
          const forward = run([i, j], state);
          // The value that the generator gives a read is not what the model returns.
          for (const [k, [low, high]] of forward.answers) {
            const at = k * RECORD_WORDS + (batch.kind[k] === RECORDS['mmio.read'].id ? 4 : 1);
            batch.words[at] = low;
            batch.words[at + 1] = high;
          }
          if (oracle.dependent(i, j)) continue;
          const after = forward.digest();
          const backward = run([j, i], state);
          if (told) {
            // Both signal to the same PE, or signal something else: the records then reveal that the order differs.
            if (forward.tells[0]!.some((pe) => forward.tells[1]!.includes(pe))) continue;
            if (forward.shown.join() !== backward.shown.join()) continue;
          } else expect([i, j, [...backward.answers].sort()]).toEqual([i, j, [...forward.answers].sort()]);
          tried++;
          expect([i, j, backward.digest()]).toEqual([i, j, after]);
        }
      }
      step(machine, batch, i);
      sink.clear();
    }
    // Unless the generator makes pairs that commute, the test proves nothing.
    expect(tried).toBeGreaterThan(25);
  });
});
