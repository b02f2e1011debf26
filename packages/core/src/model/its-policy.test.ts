// Tests what an ITS does about a command error under each policy, and VMOVP when every ITS needs its own.
import { describe, expect, it } from 'vitest';
import { ITS_ERRORS } from '../spec/index.ts';
import { Driver, testConfig, variant } from './driver.test-support.ts';

const WRONG = { DeviceID: 77, EventID: 0 };

describe('a command error', () => {
  const run = (policy: 'stall' | 'ignore' | 'serror') => {
    const d = new Driver(variant('architecture', { itsErrors: policy })).enable().its();
    const outcome = d.command('INT', WRONG);
    const serror = d.seen.find((one) => one.kind === 'serror.raised')?.words[1];
    const stalled = (d.gits('GITS_CREADR') & 1) === 1;
    const next = d.command('SYNC', { RDbase: 0 });
    return { outcome, serror, stalled, next };
  };

  it('stalls: the queue stays at the command, and nothing after it runs', () => {
    expect(run('stall')).toEqual({
      outcome: ITS_ERRORS.INT_UNMAPPED_DEVICE,
      serror: undefined,
      stalled: true,
      next: undefined,
    });
  });

  it('is ignored: the queue goes on', () => {
    expect(run('ignore')).toEqual({
      outcome: ITS_ERRORS.INT_UNMAPPED_DEVICE,
      serror: undefined,
      stalled: false,
      next: 0,
    });
  });

  it('raises an SError with its code, and the queue goes on', () => {
    expect(run('serror')).toEqual({
      outcome: ITS_ERRORS.INT_UNMAPPED_DEVICE,
      serror: ITS_ERRORS.INT_UNMAPPED_DEVICE,
      stalled: false,
      next: 0,
    });
  });
});

describe('VMOVP with two ITSs', () => {
  const machine = (vmovp: boolean) => {
    const config = testConfig('architecture', 2, { architecture: 4, virtualLpis: '4.0', its: 2 });
    const its = config.its.map((one) => {
      const typer = BigInt(one.typer) & ~(1n << 37n);
      return { ...one, typer: `0x${(vmovp ? typer | (1n << 37n) : typer).toString(16)}` };
    });
    const d = new Driver('architecture', 2, { ...config, its }).enable().its().virtual();
    d.second();
    d.access('GITS', 1, 0, 4, 0);
    d.access('GITS', 1, 0x110, 8, 0x4700_0200, 0x8000_0000);
    d.access('GITS', 1, 0, 4, 1);
    d.command('VMOVP', { vPEID: 0, RDbase: 1, SequenceNumber: 5, ITSList: 3 });
    return new Set(d.seen.filter((one) => one.kind === 'vte.write').map((one) => one.words[0]));
  };

  it('one command serves all where GITS_TYPER.VMOVP is 1', () => {
    expect([...machine(true)]).toEqual([0, 1]);
  });

  it('where it is 0, it is that of its own ITS alone: software issues one on each', () => {
    expect([...machine(false)]).toEqual([0]);
  });
});
