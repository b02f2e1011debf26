// Each check of GICv5: a guest that does it wrong, and one that does nearly the same and is right.
import { describe, expect, it } from 'vitest';
import { Driver, FRAME, gicv5Config, lpi, ppi, spi } from '../gicv5/driver.test-support.ts';
import { gicv5L1Address, IST } from '../gicv5/index.ts';
import {
  RECORD_FLAGS,
  RECORD_WORDS,
  RECORDS,
  RecordBatch,
  type RecordName,
  responseAt,
} from '../record/index.ts';
import { FRAMES, IRS } from '../spec/index.ts';
import { Checker, type CheckerOptions, type Finding } from './index.ts';
import { GICV5_CHECKS, type Gicv5CheckName } from './rules-gicv5.ts';
import { steps } from './steps.test-support.ts';

/** A driver whose trace is checked as it comes. */
class Checked extends Driver {
  readonly checker: Checker;
  /** Flags of the records that follow. */
  flags = 0;

  constructor(options: CheckerOptions = {}) {
    super(gicv5Config('gicv5-architecture'));
    this.checker = new Checker(gicv5Config('gicv5-architecture'), options);
  }

  override do(kind: RecordName, pe: number, ...words: number[]): bigint {
    const value = super.do(kind, pe, ...words);
    const one = new RecordBatch(1);
    one.push(RECORDS[kind].id, pe, Number.NaN);
    one.words.set(words);
    one.flags[0] = this.flags;
    const at = responseAt(RECORDS[kind].id);
    if (at >= 0) one.words.set([Number(value & 0xffff_ffffn), Number(value >> 32n)], at % RECORD_WORDS);
    this.checker.take(one);
    return value;
  }

  /** SPI 5 is enabled for PE 0, and its line is asserted. */
  ready(): this {
    this.start();
    this.set(spi(5), 8);
    this.line(spi(5), 1);
    return this;
  }

  /** PE 0 handles what it is signalled as Linux does. */
  handle(): void {
    const intid = this.acknowledge(0);
    this.write(0, 'GSB_ACK');
    this.write(0, 'GIC_CDEOI');
    this.write(0, 'GIC_CDDI', intid);
  }
}

function findings(act: (d: Checked) => void, options: CheckerOptions = {}): readonly Finding[] {
  const d = new Checked(options);
  act(d);
  return d.checker.finish();
}
const rules = (list: readonly Finding[]) => [...new Set(list.map(({ rule }) => rule))];

interface Case {
  readonly wrong: (d: Checked) => void;
  readonly right: (d: Checked) => void;
}

/** A level-2 table at 0x4001_0000 whose entry of LPI 3 is this. */
const withEntry = (entry: number) => (d: Checked) => {
  d.table(true);
  d.do('mem.write', 0, 0x4001_000c, 0, 4, entry, 0);
  d.irs('IRS_IST_STATUSR');
  d.irs('IRS_MAP_L2_ISTR', 3);
};

const CASES: Readonly<Record<Gicv5CheckName, Case>> = {
  'irs-not-polled': {
    wrong: (d) => {
      d.irs('IRS_SPI_SELR', 5);
      d.irs('IRS_SPI_CFGR', 1);
    },
    right: (d) => {
      d.irs('IRS_SPI_SELR', 5);
      d.irs('IRS_SPI_STATUSR');
      d.irs('IRS_SPI_CFGR', 1);
      d.irs('IRS_PE_SELR', 1);
    },
  },
  'irs-object-not-valid': {
    wrong: (d) => {
      d.irs('IRS_SPI_SELR', 64);
      d.irs('IRS_SPI_STATUSR');
      d.irs('IRS_SPI_CFGR', 1);
    },
    right: (d) => {
      d.irs('IRS_SPI_SELR', 63);
      d.irs('IRS_SPI_STATUSR');
      d.irs('IRS_SPI_CFGR', 1);
    },
  },
  'configured-unreachable': {
    wrong: (d) => {
      d.table(true);
      d.write(0, 'GIC_CDEN', lpi(3));
    },
    right: (d) => {
      withEntry(0)(d);
      d.write(0, 'GIC_CDEN', lpi(3));
      d.write(0, 'GIC_CDEN', spi(63));
    },
  },
  'affinity-to-no-pe': {
    wrong: (d) => d.write(0, 'GIC_CDAFF', spi(5), 2),
    right: (d) => d.write(0, 'GIC_CDAFF', spi(5), 1),
  },
  'disable-not-completed': {
    wrong: (d) => {
      d.write(0, 'GIC_CDDIS', spi(5));
      d.write(0, 'ICC_PCR_EL1', 8);
      d.write(0, 'GSB_SYS');
    },
    right: (d) => {
      d.write(0, 'GIC_CDDIS', spi(5));
      d.write(1, 'ICC_PCR_EL1', 8);
      // One barrier for several.
      d.write(0, 'GIC_CDDIS', spi(6));
      d.write(0, 'GIC_CDPRI', spi(5), 8);
      d.write(0, 'GSB_ACK');
      d.write(0, 'GSB_SYS');
      d.write(0, 'ICC_PCR_EL1', 8);
    },
  },
  'acknowledge-not-completed': {
    wrong: (d) => {
      d.ready().acknowledge(0);
      d.write(0, 'GIC_CDEOI');
      d.write(0, 'GSB_ACK');
      d.write(0, 'GIC_CDDI', spi(5));
    },
    right: (d) => {
      d.ready().handle();
      expect(d.acknowledge(0)).toBe(0);
      d.write(0, 'ICC_PCR_EL1', 8);
    },
  },
  'late-priority-drop': {
    wrong: (d) => {
      d.ready().acknowledge(0);
      d.write(0, 'GIC_CDDI', spi(5));
      d.write(0, 'GIC_CDEOI');
    },
    right: (d) => d.ready().handle(),
  },
  'drop-without-acknowledge': {
    wrong: (d) => d.start().write(0, 'GIC_CDEOI'),
    right: (d) => d.ready().handle(),
  },
  'deactivate-not-active': {
    wrong: (d) => d.ready().write(0, 'GIC_CDDI', spi(6)),
    right: (d) => {
      d.ready().acknowledge(0);
      d.write(0, 'GIC_CDEOI');
      // An SPI may be deactivated by any PE.
      d.write(1, 'GIC_CDDI', spi(5));
    },
  },
  'ist-not-zero': {
    wrong: withEntry(1),
    right: withEntry(0xf808),
  },
  'iste-valid-by-software': {
    wrong: (d) => {
      d.table(true);
      d.do('mem.write', 0, 0x4000_0000, 0, 8, 0x4001_0001, 0);
      d.irs('IRS_IST_STATUSR');
      d.irs('IRS_MAP_L2_ISTR', 3);
    },
    right: withEntry(0),
  },
  'ist-config-while-valid': {
    wrong: (d) => {
      d.table();
      d.irs('IRS_IST_CFGR', 16);
    },
    right: (d) => {
      d.table();
      d.irs('IRS_IST_STATUSR');
      d.irs('IRS_IST_BASER', 0);
      d.irs('IRS_IST_CFGR', 16);
    },
  },
  'active-for-ever': {
    wrong: (d) => {
      d.ready().acknowledge(0);
      d.write(0, 'GIC_CDEOI');
      d.line(spi(5), 0);
      d.line(spi(5), 1);
      d.set(spi(6), 8);
      d.line(spi(6), 1);
      d.handle();
    },
    right: (d) => {
      d.ready().handle();
      d.line(spi(5), 0);
      d.line(spi(5), 1);
      d.set(spi(6), 8);
      d.line(spi(6), 1);
      d.handle();
      d.handle();
    },
  },
};

describe.each(Object.keys(GICV5_CHECKS) as Gicv5CheckName[])('%s', (rule) => {
  const { wrong, right } = CASES[rule];
  it('is found', () => {
    const list = findings(wrong);
    expect(rules(list)).toContain(rule);
    expect(list.find((one) => one.rule === rule)!.text).not.toBe('');
  });
  it('is not found where software is right', () => {
    expect(rules(findings(right))).toEqual([]);
  });
});

it('finds a write to a reserved location of an IRS', () => {
  const list = findings((d) => d.do('mmio.write', -1, FRAMES.indexOf('IRS'), FRAME, 0x20, 4, 1));
  expect(rules(list)).toEqual(['write-to-reserved']);
});

it('reports a missed barrier once, whether the first barrier comes before or after it', () => {
  const miss = (d: Checked) => {
    d.write(0, 'GIC_CDDIS', spi(5));
    d.write(0, 'ICC_PCR_EL1', 8);
  };
  const barrier = (d: Checked) => d.write(1, 'GSB_SYS');
  const both = [(d: Checked) => [miss(d), barrier(d)], (d: Checked) => [barrier(d), miss(d)]];
  for (const act of both) expect(findings(act).map(({ rule }) => rule)).toEqual(['disable-not-completed']);
});

describe('a PE', () => {
  /** PE `pe` drops the priority of PPI 27, which becomes pending again, handles PPI 26, and does not deactivate PPI 27. */
  const leave = (d: Checked, pe: number) => {
    for (const one of [26, 27]) {
      d.write(pe, 'ICC_PPI_ENABLER0_EL1', 3 << 26);
      d.line(ppi(one), 0, pe);
    }
    d.line(ppi(27), 1, pe);
    expect(d.acknowledge(pe)).toBe(ppi(27));
    d.write(pe, 'GIC_CDEOI');
    d.line(ppi(27), 0, pe);
    d.line(ppi(27), 1, pe);
  };
  const handle = (d: Checked, pe: number) => {
    d.line(ppi(26), 1, pe);
    const intid = d.acknowledge(pe);
    expect(intid).toBe(ppi(26));
    d.write(pe, 'GIC_CDEOI');
    d.write(pe, 'GIC_CDDI', intid);
  };

  it('has PPIs of its own, which another PE neither ends nor acknowledges', () => {
    const list = findings((d) => {
      d.start();
      leave(d, 0);
      handle(d, 0);
      d.line(ppi(27), 1, 1);
      d.write(1, 'ICC_PPI_ENABLER0_EL1', 3 << 26);
      d.acknowledge(1);
      d.write(1, 'GIC_CDEOI');
      d.write(1, 'GIC_CDDI', ppi(27));
    });
    expect(list.filter(({ rule }) => rule === 'active-for-ever').map(({ pe }) => pe)).toEqual([0]);
  });

  it('that is reset handles nothing and awaits no barrier', () => {
    const list = findings((d) => {
      d.ready().acknowledge(0);
      d.do('pe.reset', 0);
      d.write(0, 'ICC_PCR_EL1', 8);
      d.write(0, 'GSB_ACK');
      d.write(0, 'GIC_CDDI', spi(5));
    });
    expect(rules(list)).toEqual([]);
  });
});

it('the reset of a PE that the source does not name ends nothing', () => {
  const reset = (d: Checked) => d.do('pe.reset', -1);
  expect(rules(findings((d) => reset(d.start())))).toEqual([]);
});

describe('the work grows with the number of records alone:', () => {
  const acts: Record<string, (d: Checked, n: number) => void> = {
    'interrupts that are disabled, and one barrier': (d) => d.write(0, 'GIC_CDDIS', spi(5)),
    'interrupts that are ended and not deactivated': (d, n) => {
      d.set(lpi(n), 8);
      d.pend(lpi(n));
      d.acknowledge(0);
      d.write(0, 'GSB_ACK');
      d.write(0, 'GIC_CDEOI');
    },
  };
  const work = (act: (d: Checked, n: number) => void, count: number) => {
    const d = new Checked();
    d.start().table();
    return steps(() => {
      for (let n = 0; n < count; n++) act(d, n);
      d.write(0, 'GSB_SYS');
      d.write(0, 'ICC_PCR_EL1', 8);
    });
  };
  it.each(Object.entries(acts))('%s', (_what, act) => {
    expect(work(act, 1000)).toBeLessThan(2.05 * work(act, 500));
  });
});

describe('a frame of another interrupt domain', () => {
  it('is not looked at: its registers are others', () => {
    const irs = (d: Checked, offset: number, value: number) =>
      d.do('mmio.write', -1, FRAMES.indexOf('IRS'), 0, offset, 4, value);
    const list = findings((d) => {
      for (let n = 0; n < 3; n++) irs(d, IRS.IRS_SPI_CFGR.offset, 1);
    });
    expect(rules(list)).toEqual([]);
  });
});

describe('an LPI that the table does not have', () => {
  it('has no entry that could be looked at', () => {
    const list = findings((d) => {
      d.table(true);
      const beyond = 2 ** d.machine.state.ist[IST.idBits]!;
      const l1 = gicv5L1Address(d.machine, beyond);
      d.do('mem.write', 0, l1, 0, 8, 0x4001_0001, 0);
      d.irs('IRS_IST_STATUSR');
      d.irs('IRS_MAP_L2_ISTR', beyond);
    });
    expect(rules(list)).toEqual([]);
  });
});

describe('where the source does not show it', () => {
  it('is nothing found of barriers, if it has none at all', () => {
    const act = (d: Checked) => {
      d.ready().acknowledge(0);
      d.write(0, 'GIC_CDEOI');
      d.write(0, 'GIC_CDDI', spi(5));
    };
    expect(rules(findings(act))).toEqual([]);
  });

  it('is nothing found of polling, if it has no reads', () => {
    expect(rules(findings(CASES['irs-not-polled'].wrong, { allReads: false }))).toEqual([]);
  });

  it('is nothing found of what a PE handles from where a PE is undecided on', () => {
    const act = (flags: number) => (d: Checked) => {
      d.start();
      d.flags = flags;
      d.read(0, 'GICR_CDIA');
      d.flags = 0;
      d.write(0, 'GIC_CDEOI');
      d.write(0, 'GIC_CDDI', ppi(27));
    };
    expect(rules(findings(act(0)))).toEqual(['drop-without-acknowledge', 'deactivate-not-active']);
    expect(rules(findings(act(RECORD_FLAGS.peUndecided)))).toEqual([]);
  });

  it('is nothing found of registers that were written before it begins', () => {
    const act = (d: Checked) => {
      d.irs('IRS_SPI_CFGR', 1);
      d.write(0, 'GIC_CDEN', lpi(3));
      d.write(0, 'GIC_CDDI', spi(6));
    };
    expect(rules(findings(act))).toEqual([
      'irs-object-not-valid',
      'configured-unreachable',
      'deactivate-not-active',
    ]);
    expect(rules(findings(act, { fromReset: false }))).toEqual([]);
  });
});
