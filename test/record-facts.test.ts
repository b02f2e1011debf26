// What a record is about is the same for whoever asks: `dump --intid`, SQL, the exports and the report, for every
// register that carries an INTID.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { SYSREGS, type SysregName, type SysregSpec } from '@gictrace/core/spec';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../packages/cli/src/run.test-support.ts';
import { readReport } from './report-data.ts';
import { scratch } from './support.ts';

const temp = scratch();
afterAll(() => temp.dispose());

/** A GICv3 with two Security states off, NMIs (GICD_TYPER.NMI) and one ITS, with three PEs. */
const HEADER = {
  gictrace: 1,
  config: {
    profile: 'architecture',
    architecture: 3,
    pes: [{ affinity: 0 }, { affinity: 1 }, { affinity: 2 }],
    gicd: { typer: 58327559, iidr: 1083, pidr2: 59 },
    gicr: { typer: 1, iidr: 1083, pidr2: 59 },
    its: [
      {
        typer: '0x1f0001efb1',
        iidr: 1083,
        pidr2: 59,
        baser: ['0x107000000000200', '0x407000000000200', '0x0', '0x0', '0x0', '0x0', '0x0', '0x0'],
      },
    ],
    priorityBits: 5,
    intidBits: 24,
    addresses: { gicd: 134217728, gicr: [134873088, 135004160, 135135232], its: [134742016] },
  },
  clock: { name: 'none', unitNs: 1 },
  source: 'storm',
};

let files = 0;
/** A trace of these records. */
async function traceOf(records: readonly object[]): Promise<string> {
  const [log, trace] = [temp.path(`${++files}.jsonl`), temp.path(`${files}.gictrace`)];
  writeFileSync(log, [HEADER, ...records].map((line) => `${JSON.stringify(line)}\n`).join(''));
  expect(await run('import', 'jsonl', log, '-o', trace)).toMatchObject({ code: 0 });
  return trace;
}
const access = (write: boolean, register: string, intid: number, timeNs?: number) => ({
  kind: write ? 'sysreg.write' : 'sysreg.read',
  ...(timeNs === undefined ? {} : { time_ns: timeNs }),
  pe: 0,
  register,
  value: `0x${intid.toString(16)}`,
});
const dumped = async (trace: string, intid: string) => {
  const { code, out } = await run('dump', trace, '--intid', intid);
  expect(code).toBe(0);
  return out.split('\n').filter((line) => line !== '');
};
const registers = (Object.entries(SYSREGS) as [SysregName, SysregSpec][]).filter(
  ([, { does }]) => does !== undefined && does !== 'generate',
);

describe('dump --intid', () => {
  it('prints every record that names the INTID, by whichever register', async () => {
    const records = [
      access(false, 'ICC_NMIAR1_EL1', 40),
      access(false, 'ICC_IAR1_EL1', 40),
      access(false, 'ICV_IAR1_EL1', 40),
      access(true, 'ICC_EOIR1_EL1', 40),
    ];
    const trace = await traceOf(records);
    for (const intid of ['40', '0x28', '0X28']) expect(await dumped(trace, intid)).toHaveLength(4);
    expect(await dumped(trace, '41')).toEqual([]);
  });

  it('walks every register whose value is an INTID', async () => {
    expect(registers.length).toBe(16);
    const trace = await traceOf(
      registers.map(([name, spec], k) => access(spec.access === 'WO', name, 0x2000 + k)),
    );
    for (const [k, [name]] of registers.entries()) {
      const lines = await dumped(trace, `0x${(0x2000 + k).toString(16)}`);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain(`${name} `);
    }
  });

  it('prints register arrays, messages, commands and table entries that name it', async () => {
    const mmio = (offset: number, value: string, kind = 'mmio.write', width = 4) => ({
      kind,
      pe: 0,
      frame: 'GICD',
      instance: 0,
      offset: `0x${offset.toString(16)}`,
      width,
      value,
    });
    const trace = await traceOf([
      mmio(0x104, '0x100'), // ISENABLER1: INTID 40
      mmio(0x104, '0x200'), // 41
      mmio(0x104, '0x0', 'mmio.read'), // 32 to 63
      mmio(0x428, '0xa0', 'mmio.write', 1), // IPRIORITYR of 40
      mmio(0x40, '0x28'), // SETSPI_NSR
      mmio(0x0, '0x28'), // CTLR
      { kind: 'wire.set', INTID: 40, level: true },
    ]);
    const lines = await dumped(trace, '40');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['0', '2', '3', '4', '6']);
  });

  it('refuses what is no INTID', async () => {
    const trace = await traceOf([access(false, 'ICC_IAR1_EL1', 40)]);
    for (const bad of ['0x', '1e3', '-1', '0x1000000', '4 0', 'x28']) {
      const { code, err } = await run('dump', trace, '--intid', bad);
      expect([code, err]).toEqual([2, expect.stringContaining('--intid takes a whole number')]);
    }
  });
});

describe('an acknowledge that only the source shows', () => {
  const acknowledging = registers.filter(
    ([name, { does }]) => does === 'acknowledge' && name.startsWith('ICC_'),
  );
  const made = async (register: string, intid: number) => {
    const trace = await traceOf([
      access(false, register, intid, 1000),
      access(true, 'ICC_EOIR1_EL1', intid, 3000),
    ]);
    const [db, page] = [temp.path(`${files}.db`), temp.path(`${files}.html`)];
    expect((await run('load', trace, '-o', db)).code).toBe(0);
    const { out } = await run('query', db, 'SELECT * FROM interrupts', '--json');
    const exports: Record<string, string> = {};
    for (const format of ['perfetto', 'vcd']) {
      const file = temp.path(`${files}.${format}`);
      expect((await run('export', trace, '--to', format, '-o', file)).code).toBe(0);
      exports[format] = readFileSync(file, 'latin1')
        .replace(basename(trace), 'TRACE')
        .replaceAll(register, 'REGISTER');
    }
    expect((await run('report', trace, '-o', page)).code).toBe(0);
    const { lives } = (await readReport(page)).models[0]!;
    return { out, exports, lives: JSON.stringify(lives) };
  };

  // An extended PPI and an extended SPI are interrupts too.
  it.each([40, 1060, 4100, 8200])('is the same of INTID %d by each acknowledge register', async (intid) => {
    expect(acknowledging.map(([name]) => name)).toEqual([
      ...['ICC_IAR0_EL1', 'ICC_NMIAR1_EL1', 'ICC_IAR1_EL1'],
    ]);
    const wanted = await made('ICC_IAR1_EL1', intid);
    expect(JSON.parse(wanted.out)).toMatchObject([{ INTID: intid, acknowledged: 0, eoi: 1 }]);
    expect(wanted.exports.perfetto).toContain(`${intid}`);
    for (const [name] of acknowledging) expect(await made(name, intid), name).toEqual(wanted);
  });

  it('of a special INTID is no interrupt', async () => {
    for (const special of [1020, 1021, 1022, 1023, 1024, 8191])
      expect((await made('ICC_NMIAR1_EL1', special)).out.trim()).toBe('[]');
  });
});
