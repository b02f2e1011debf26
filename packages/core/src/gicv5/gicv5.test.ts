import { describe, expect, it } from 'vitest';
import { Driver, lpi, ppi, spi } from './driver.test-support.ts';

const IRQ = 1;
const NMI = 4;

describe.each(['gicv5-architecture', 'qemu-11.1'])('GICv5 under %s', (profile) => {
  it('delivers an LPI: pending, acknowledged, dropped, deactivated', () => {
    const d = new Driver(profile).start().table();
    d.set(lpi(9), 16, 1);
    d.pend(lpi(9));
    expect([d.signal(0), d.signal(1)]).toEqual([0, IRQ]);
    expect(d.read(1, 'ICC_HPPIR_EL1')).toBe(0x1_4000_0009n);
    expect(d.acknowledge(0)).toBe(0);
    expect(d.acknowledge(1)).toBe(lpi(9));
    expect(d.signal(1)).toBe(0);
    expect(d.read(1, 'ICC_APR_EL1')).toBe(0x1_0000n);
    // Edge: it is active and not pending; pending again, it is blocked until it is deactivated.
    expect(d.config(lpi(9)) & 0x14n).toBe(0x10n);
    d.pend(lpi(9));
    d.write(1, 'GIC_CDEOI');
    expect(d.signal(1)).toBe(0);
    d.write(1, 'GIC_CDDI', lpi(9));
    expect(d.signal(1)).toBe(IRQ);
    expect(d.config(lpi(9))).toBe(0x1_0000_8006n);
  });

  it('keeps a level LPI pending when it is acknowledged', () => {
    const d = new Driver(profile).start().table();
    d.set(lpi(3), 5);
    d.write(0, 'GIC_CDHM', lpi(3), 1);
    d.pend(lpi(3));
    expect(d.acknowledge(0)).toBe(lpi(3));
    expect(d.config(lpi(3)) & 0x34n).toBe(0x34n);
    d.pend(lpi(3), 0);
    expect(d.config(lpi(3)) & 0x34n).toBe(0x30n);
  });

  it('signals the highest priority, a PPI before what the IRS presents, and preempts only by a higher one', () => {
    const d = new Driver(profile).start().table();
    d.set(spi(4), 8);
    d.set(lpi(0), 7);
    d.write(0, 'ICC_PPI_PRIORITYR3_EL1', 0x0700_0000);
    d.write(0, 'ICC_PPI_ENABLER0_EL1', 1 << 27);
    d.pend(spi(4));
    expect(d.read(0, 'ICC_HPPIR_EL1')).toBe(BigInt(spi(4)) | (1n << 32n));
    d.pend(lpi(0));
    expect(d.read(0, 'ICC_HPPIR_EL1')).toBe(BigInt(lpi(0)) | (1n << 32n));
    d.line(ppi(27), 1, 0);
    expect(d.acknowledge(0)).toBe(ppi(27));
    // The LPI has the running priority and does not preempt.
    expect(d.acknowledge(0)).toBe(0);
    d.write(0, 'GIC_CDPRI', lpi(0), 6 << 3);
    expect(d.acknowledge(0)).toBe(lpi(0));
    expect(d.read(0, 'ICC_APR_EL1')).toBe(0xc0n);
    d.write(0, 'GIC_CDEOI');
    expect(d.read(0, 'ICC_APR_EL1')).toBe(0x80n);
  });

  it('masks by ICC_PCR_EL1 and ICC_CR0_EL1.EN, and gives priority 0 Superpriority', () => {
    const d = new Driver(profile).start().table();
    d.set(lpi(1), 20);
    d.pend(lpi(1));
    d.write(0, 'ICC_PCR_EL1', 19);
    expect([d.signal(0), d.acknowledge(0)]).toEqual([0, 0]);
    d.write(0, 'ICC_PCR_EL1', 20);
    expect(d.signal(0)).toBe(IRQ);
    d.write(0, 'ICC_CR0_EL1', 0);
    expect(d.signal(0)).toBe(0);
    expect(d.read(0, 'ICC_CR0_EL1')).toBe(6n);
    d.write(0, 'ICC_CR0_EL1', 1);
    d.write(0, 'GIC_CDPRI', lpi(1), 0);
    expect(d.signal(0)).toBe(NMI);
  });

  it('samples SPIs by their trigger mode, which decides the handling mode', () => {
    const d = new Driver(profile).start();
    d.set(spi(7), 3);
    d.line(spi(7), 1);
    expect(d.config(spi(7)) & 0x34n).toBe(0x4n);
    // An edge stays pending when the line goes low, until it is acknowledged.
    d.line(spi(7), 0);
    expect(d.config(spi(7)) & 0x34n).toBe(0x4n);
    expect(d.acknowledge(0)).toBe(spi(7));
    expect(d.config(spi(7)) & 0x34n).toBe(0x10n);
    d.write(0, 'GIC_CDEOI');
    d.write(0, 'GIC_CDDI', spi(7));
    d.pend(spi(7));
    d.irs('IRS_SPI_SELR', 7);
    expect(d.irs('IRS_SPI_STATUSR')).toBe(3n);
    d.irs('IRS_SPI_CFGR', 1);
    expect(d.irs('IRS_SPI_CFGR')).toBe(1n);
    expect(d.config(spi(7)) & 0x34n).toBe(0n);
    d.line(spi(7), 1);
    expect(d.config(spi(7)) & 0x34n).toBe(0x24n);
    expect(d.acknowledge(0)).toBe(spi(7));
    expect(d.config(spi(7)) & 0x34n).toBe(0x34n);
    d.line(spi(7), 0);
    expect(d.config(spi(7)) & 0x34n).toBe(0x30n);
    d.irs('IRS_SPI_SELR', 64);
    expect(d.irs('IRS_SPI_STATUSR')).toBe(1n);
  });

  it('changes to edge and back with a line that is high', () => {
    const d = new Driver(profile).start();
    d.irs('IRS_SPI_SELR', 2);
    d.irs('IRS_SPI_CFGR', 1);
    d.line(spi(2), 1);
    d.irs('IRS_SPI_CFGR', 0);
    expect(d.config(spi(2)) & 0x24n).toBe(0x20n);
    d.irs('IRS_SPI_RESAMPLER', 2);
    expect(d.config(spi(2)) & 0x24n).toBe(0x4n);
  });

  it('moves an interrupt: the old target loses it, the new one has it', () => {
    const d = new Driver(profile).start().table();
    d.set(lpi(5), 1, 0);
    d.pend(lpi(5));
    d.write(0, 'GIC_CDAFF', lpi(5), 1);
    expect([d.signal(0), d.signal(1)]).toEqual([0, IRQ]);
    d.write(0, 'GIC_CDAFF', lpi(5), 0x77);
    expect([d.signal(0), d.signal(1)]).toEqual([0, 0]);
    expect(d.config(lpi(5)) >> 32n).toBe(0x77n);
  });

  it('keeps a two-level table in memory, whose level-1 entry IRS_MAP_L2_ISTR makes valid', () => {
    const d = new Driver(profile).start().table(true);
    // 10 bits of index in a table of 4 KB.
    expect(d.config(lpi(2))).toBe(1n);
    d.irs('IRS_MAP_L2_ISTR', 2);
    expect(d.word(0x4000_0000)).toBe(0x4001_0001);
    d.set(lpi(2), 0x11, 1);
    expect(d.word(0x4001_0008)).toBe(0x0001_8808);
    d.pend(lpi(2));
    expect(d.word(0x4001_0008)).toBe(profile === 'qemu-11.1' ? 0x0001_8808 : 0x0001_8809);
    d.irs('IRS_IST_BASER', 0);
    expect(d.word(0x4001_0008)).toBe(0x0001_8809);
    expect([d.signal(1), d.config(lpi(2))]).toEqual([0, 1n]);
    expect(d.config(lpi(1024))).toBe(1n);
  });

  it('finds an entry of a later level-2 table by the upper bits of the ID, whatever the size of the tables', () => {
    // The reserved size is that of 4 KB.
    for (const [size, indexBits] of [
      [0, 10],
      [1, 12],
      [2, 14],
      [3, 10],
    ] as const) {
      const d = new Driver(profile).start();
      d.do('mem.known', -1, 0x4000_0000, 0, 0x10_0000, 0);
      d.do('mem.write', -1, 0x4000_0018, 0, 8, 0x4002_0001, 0);
      d.irs('IRS_IST_CFGR', 17 | (size << 5) | 0x1_0000);
      d.irs('IRS_IST_BASER', 0x4000_0001n);
      const id = 3 * 2 ** indexBits + 5;
      d.set(lpi(id), 7);
      expect(d.word(0x4002_0014), `size ${size}`).toBe(0x3808);
    }
  });

  it('has what IRS_IDR2 and IRS_IST_CFGR say: at least 14 bits, entries of 4 to 16 bytes', () => {
    const d = new Driver(profile).start();
    d.do('mem.known', -1, 0x5000_0000, 0, 0x10_0000, 0);
    d.irs('IRS_IST_CFGR', 2 | (2 << 7));
    d.irs('IRS_IST_BASER', 0x5000_0001n);
    const at = d.names().indexOf('ist.changed');
    expect(d.words(at).slice(1)).toEqual([1, 0x5000_0000, 0, 14, 8, 16, 0]);
    d.set(lpi(3), 2);
    expect(d.word(0x5000_0030)).toBe(0x1008);
    expect(d.config(lpi(2 ** 14))).toBe(1n);
    // It cannot be changed while it is valid.
    d.irs('IRS_IST_CFGR', 0x18);
    d.irs('IRS_IST_BASER', 0x6000_0001n);
    expect([d.irs('IRS_IST_CFGR'), d.irs('IRS_IST_BASER')]).toEqual([0x102n, 0x5000_0001n]);
  });

  it('selects a PE by its IAFFID, and has reserved locations', () => {
    const d = new Driver(profile).start();
    d.irs('IRS_PE_SELR', 1);
    expect(d.irs('IRS_PE_STATUSR')).toBe(7n);
    d.irs('IRS_PE_SELR', 2);
    expect(d.irs('IRS_PE_STATUSR')).toBe(1n);
    expect(d.irs('IRS_IDR0')).toBe(0x1dn);
    expect(d.irs('IRS_VMT_CFGR')).toBe(0n);
    expect(d.machine.reserved).toBe(true);
    expect(d.names()).toEqual(['access.reserved']);
  });

  it('lets software pend and unpend the edge PPI only', () => {
    const d = new Driver(profile).start();
    d.write(0, 'ICC_PPI_SPENDR0_EL1', (1 << 3) | (1 << 27));
    expect(d.read(0, 'ICC_PPI_SPENDR0_EL1')).toBe(8n);
    d.write(0, 'ICC_PPI_ENABLER0_EL1', 8);
    expect(d.acknowledge(0)).toBe(ppi(3));
    expect(d.read(0, 'ICC_PPI_CPENDR0_EL1')).toBe(0n);
    expect(d.read(0, 'ICC_PPI_SACTIVER0_EL1')).toBe(8n);
    d.write(0, 'GIC_CDDI', ppi(3));
    expect(d.read(0, 'ICC_PPI_CACTIVER0_EL1')).toBe(0n);
  });
});

describe('what the profiles do differently', () => {
  const both = (act: (d: Driver) => unknown) =>
    ['gicv5-architecture', 'qemu-11.1'].map((profile) => act(new Driver(profile).start()));

  it('disables and unpends an SPI, unless as QEMU', () => {
    expect(
      both((d) => {
        d.set(spi(1), 4);
        d.write(0, 'GIC_CDDIS', spi(1));
        d.pend(spi(1));
        d.pend(spi(1), 0);
        return d.config(spi(1)) & 6n;
      }),
    ).toEqual([0n, 6n]);
  });

  it('acts on IRS_CR0.IRSEN when it is written, or when it is read', () => {
    expect(
      both((d) => {
        d.set(spi(1), 4);
        d.pend(spi(1));
        d.irs('IRS_CR0', 0);
        const written = d.signal(0);
        d.irs('IRS_CR0');
        return [written, d.signal(0)];
      }),
    ).toEqual([
      [0, 0],
      [IRQ, 0],
    ]);
  });

  it('keeps a PPI pending while its line is high when the PE is reset, or forgets the line', () => {
    expect(
      both((d) => {
        d.line(ppi(27), 1, 0);
        d.do('pe.reset', 0);
        return d.read(0, 'ICC_PPI_SPENDR0_EL1');
      }),
    ).toEqual([1n << 27n, 0n]);
  });

  it('has nothing to present after a reset, or what it presented before', () => {
    expect(
      both((d) => {
        d.set(spi(1), 4);
        d.pend(spi(1));
        d.do('gic.reset', -1);
        d.write(0, 'ICC_PPI_ENABLER0_EL1');
        d.write(0, 'ICC_PCR_EL1', 0x1f);
        d.write(0, 'ICC_CR0_EL1', 1);
        return d.signal(0);
      }),
    ).toEqual([0, IRQ]);
  });

  it('presents the lowest of several LPIs of one priority, or the first of the hash table', () => {
    expect(
      both((d) => {
        d.table();
        for (const id of [8, 9]) {
          d.set(lpi(id), 4);
          d.pend(lpi(id));
        }
        return d.acknowledge(0);
      }),
    ).toEqual([lpi(8), lpi(9)]);
  });

  it('shows changes, or all that is calculated again, in that order', () => {
    const [architecture, qemu] = ['gicv5-architecture', 'qemu-11.1'].map((profile) => {
      const d = new Driver(profile).start().table();
      d.set(lpi(5), 1);
      d.write(0, 'GIC_CDAFF', lpi(5), 1);
      return d.names().filter((name) => !/^(iste|mem|memory)/.test(name));
    });
    expect(architecture).toEqual([]);
    expect(qemu).toEqual(['irs.hppi', 'cpuif.signal', 'irs.hppi', 'cpuif.signal']);
  });
});
