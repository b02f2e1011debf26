// Tests QEMU's lines and their pitfalls. Tokens are compared with a naive parser; for each pitfall there are a few
// lines and the records that must result, in order.
import { recordText } from '@gictrace/core/disasm';
import {
  fieldOffsets,
  fieldValue,
  RECORD_FLAGS,
  RECORD_WORDS,
  type RecordBatch,
  RULES,
  recordKind,
  recordName,
} from '@gictrace/core/record';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { affinityOf, Identity, peOf } from '../common/identity.ts';
import { eachLine } from '../common/lines.ts';
import { Losses } from '../common/losses.ts';
import { Assembler } from './assemble.ts';
import { LINE_KINDS } from './events.ts';
import { eventNames, newToken, tokenize } from './tokenize.ts';

interface Shown {
  readonly kind: string;
  readonly pe: number;
  readonly flags: number;
  readonly rule: number;
  readonly line: number;
  readonly time: number;
  readonly fields: Readonly<Record<string, number | bigint>>;
  readonly text: string;
}

function shown(batch: RecordBatch, i: number): Shown {
  const kind = recordKind(batch.kind[i]!);
  const offsets = fieldOffsets(kind);
  return {
    kind: recordName(batch.kind[i]!)!,
    pe: batch.pe[i]!,
    flags: batch.flags[i]!,
    rule: batch.rule[i]!,
    line: batch.line[i]!,
    time: batch.timeNs[i]!,
    fields: Object.fromEntries(
      kind.fields.map((field, k) => [
        field.name,
        fieldValue(field, batch.words, i * RECORD_WORDS + offsets[k]!),
      ]),
    ),
    text: recordText(batch, i),
  };
}

function assemble(log: string): { records: Shown[]; losses: Losses; identity: Identity; malformed: number } {
  const records: Shown[] = [];
  const identity = new Identity();
  const losses = new Losses();
  const assembler = new Assembler(identity, losses, {
    group(batch) {
      for (let i = 0; i < batch.count; i++) records.push(shown(batch, i));
    },
  });
  const token = newToken();
  let n = 0;
  for (const text of log.trim().split('\n')) {
    const bytes = Buffer.from(text.trim(), 'latin1');
    tokenize(bytes, 0, bytes.length, token);
    n++;
    if (token.kind !== undefined) assembler.line(token, n);
  }
  assembler.end();
  return { records, losses, identity, malformed: assembler.malformed };
}
const kinds = (log: string) => assemble(log).records.map((r) => r.kind);

const hppi = (pe: number, irq = 0, prio = 255, line = 0) =>
  `gicv3_cpuif_update GICv3 CPU i/f 0x${pe.toString(16)} HPPI update: irq ${irq} group ${irq ? 2 : 0} prio ${prio}\ngicv3_cpuif_set_irqs GICv3 CPU i/f 0x${pe.toString(16)} HPPI update: setting FIQ 0 IRQ ${line}`;

describe('tokens', () => {
  const naive = (text: string) => {
    const match = /^(?:(\d+)@(\d+)\.(\d+):)?(\S+)(.*)$/.exec(text)!;
    const numbers = [...match[5]!.matchAll(/ (-?)(0x[0-9a-f]+|\d+)/g)].map(([, minus, digits]) =>
      BigInt.asUintN(64, minus ? -BigInt(digits!) : BigInt(digits!)),
    );
    return {
      thread: match[1] === undefined ? 0 : Number(match[1]),
      micros: Number(match[3] ?? 0),
      event: match[4]!,
      numbers,
    };
  };
  const word = fc.constantFrom(
    'GICv3',
    'CPU',
    'i/f',
    'offset',
    'HPPI',
    'update:',
    'ICC_BPR1',
    "'control'",
    'V',
    '0x0xx',
    'x9',
  );
  const number = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n) => `0x${n.toString(16)}`),
    fc.nat(0x7fff_ffff).map(String),
    fc.constant('-1'),
  );

  it('agree with a naive parser, stamped or not', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...eventNames),
        fc.array(fc.oneof(word, number), { maxLength: 11 }),
        fc.option(fc.tuple(fc.nat(99_999), fc.nat(2_000_000_000), fc.nat(999_999))),
        (event, words, stamp) => {
          const prefix =
            stamp === null ? '' : `${stamp[0]}@${stamp[1]}.${String(stamp[2]).padStart(6, '0')}:`;
          const text = [`${prefix}${event}`, ...words].join(' ');
          const bytes = Buffer.from(text);
          const token = newToken();
          tokenize(bytes, 0, bytes.length, token);
          const expected = naive(text);
          expect(eventNames[token.event]).toBe(expected.event);
          expect(token.kind).toBe(LINE_KINDS[event]);
          expect(token.stamped).toBe(stamp !== null);
          if (stamp !== null) expect([token.thread, token.seconds, token.micros]).toEqual(stamp);
          const numbers = Array.from(
            { length: token.count },
            (_, k) => (BigInt(token.high[k]!) << 32n) | BigInt(token.low[k]!),
          );
          expect(numbers).toEqual(expected.numbers);
        },
      ),
    );
  });

  it('a date in UTC is a time without a thread', () => {
    const token = newToken();
    const read = (text: string) => tokenize(Buffer.from(text), 0, text.length, token);
    const date = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(date, fc.nat(999), (at, micros) => {
        const text = `${at.toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`.replace(
          '.000000Z',
          'Z',
        );
        read(`${text} gicv3_dist_set_irq GICv3 distributor interrupt 36 level changed to 1`);
        expect([token.stamped, token.thread, token.low[0], token.count]).toEqual([true, 0, 36, 2]);
        expect(token.seconds).toBe(Math.floor(at.getTime() / 1000));
        expect(token.micros).toBe((at.getTime() % 1000) * 1000 + micros);
      }),
      {
        examples: [
          [new Date('2000-02-29T23:59:59.999Z'), 999],
          // GLib prints no microseconds if there are none.
          [new Date('2100-03-01'), 0],
        ],
      },
    );
    const good = '2026-11-29T09:38:07.484046Z gicv3_its_cmd_sync x';
    for (let at = 0; at < 28; at++) {
      // Any other character, or a line that ends there.
      for (const text of [`${good.slice(0, at)}x${good.slice(at + 1)}`, good.slice(0, at)]) {
        read(text);
        expect([token.stamped, token.kind]).toEqual([false, undefined]);
      }
    }
    for (const text of [good.replace('-11-', '-13-'), good.replace('-11-', '-00-')]) {
      read(text);
      expect([token.stamped, token.kind]).toEqual([false, undefined]);
    }
  });

  it('lines of a log without threads are of no PE that they do not name', () => {
    const at = (micros: number) => `2026-11-29T09:38:07.${String(micros).padStart(6, '0')}Z `;
    const { records } = assemble(
      [
        `${at(100)}gicv3_icc_pmr_write GICv3 ICC_PMR write cpu 0x1 value 0xf0`,
        `${at(250)}gicv3_dist_read GICv3 distributor read: offset 0x4 data 0x37a0007 size 4 secure 0`,
        `${at(300)}memory_region_ops_read cpu 1 mr 0x5 addr 0x8000004 value 0x37a0007 size 4 name 'gicv3_dist'`,
        `${at(350)}gicv3_dist_read GICv3 distributor read: offset 0x8 data 0x43b size 4 secure 0`,
      ].join('\n'),
    );
    expect(records.map(({ kind, pe, time }) => [kind, pe, time])).toEqual([
      ['sysreg.write', 1, 0],
      ['mmio.read', 1, 150_000],
      ['mmio.read', -1, 250_000],
    ]);
  });

  it('the profile is that of the version that lines or GICD_TYPER show', () => {
    const typer = (value: string) =>
      `gicv3_dist_read GICv3 distributor read: offset 0x4 data ${value} size 4 secure 0`;
    const profileOf = (log: string, options = {}, machine = {}) => {
      const { config, provenance } = assemble(log).identity.decide(options, machine);
      return [config.profile, provenance.profile];
    };
    expect(profileOf(typer('0x37a0007'))).toEqual(['qemu-virt', undefined]);
    expect(profileOf(typer('0x37a0008'))).toEqual(['qemu-10.0', 'log']);
    expect(profileOf(typer('0x37a0207'))).toEqual(['qemu-10.0', 'log']);
    expect(profileOf(`2026-11-29T09:38:07.484046Z ${typer('0x37a0007')}`)).toEqual(['qemu-11.1', 'log']);
    // GICD_TYPER2 is a register in QEMU 11.1, whether its lines have time stamps or not, and was a bad access before.
    const typer2 = 'gicv3_dist_read GICv3 distributor read: offset 0xc data 0x0 size 4 secure 0';
    const bad = 'gicv3_dist_badread GICv3 distributor read: offset 0xc size 4 secure 0: error';
    expect(profileOf(`${typer('0x37a0008')}\n${typer2}`)).toEqual(['qemu-11.1', 'log']);
    expect(profileOf(`${typer('0x37a0008')}\n${bad}`)).toEqual(['qemu-10.0', 'log']);
    expect(profileOf(`2026-11-29T09:38:07.484046Z ${typer('0x37a0008')}\n${bad}`)).toEqual([
      'qemu-10.0',
      'log',
    ]);
    expect(profileOf(`${typer('0x37a0007')}\n${bad}`)).toEqual(['qemu-virt', undefined]);
    // Another machine may have any number of SPIs.
    const elsewhere = `memory_region_ops_read cpu 0 mr 0x5 addr 0x40060004 value 0x37a0008 size 4 name 'gicv3_dist'`;
    expect(profileOf(`${typer('0x37a0008')}\n${elsewhere}`)).toEqual(['qemu-virt', undefined]);
    expect(profileOf(typer('0x37a0008'), {}, { profile: 'qemu-7.2' })).toEqual(['qemu-7.2', 'machine']);
    expect(profileOf(typer('0x37a0008'), { profile: 'kvm' }, { profile: 'qemu-7.2' })).toEqual([
      'kvm',
      'option',
    ]);
  });

  it('lines are whole wherever the chunks are cut, with LF or CR LF, with or without a last end of line', async () => {
    for (const end of ['\n', '\r\n']) {
      const text = ['first line', '', 'third', 'last'].join(end);
      for (const tail of ['', end]) {
        const bytes = Buffer.from(text + tail);
        for (let at = 0; at <= bytes.length; at++) {
          const lines: string[] = [];
          const chunks = async function* () {
            yield bytes.subarray(0, at);
            yield bytes.subarray(at);
          };
          await eachLine(chunks(), (buffer, from, to) => lines.push(buffer.toString('latin1', from, to)));
          expect(lines).toEqual(['first line', '', 'third', 'last']);
        }
      }
    }
  });

  it('a line without an end is not text', async () => {
    const chunks = async function* () {
      for (let i = 0; i < 4; i++) yield Buffer.alloc(600_000, 0x41);
    };
    await expect(eachLine(chunks(), () => undefined)).rejects.toThrow('not a text log');
  });

  it('a known event with too few numbers is counted, not used', () => {
    const { records, malformed } = assemble('gicv3_dist_write GICv3 distributor write: offset 0x84 da');
    expect([records.length, malformed]).toEqual([0, 1]);
  });
});

describe('what a PE is told', () => {
  it('the update and its lines are one record; idle priority is INTID 1023', () => {
    const { records } = assemble(`${hppi(1, 27, 160, 1)}\n${hppi(1, 27, 255)}`);
    expect(records.map(({ pe, fields }) => [pe, fields.INTID, fields.priority, fields.IRQ])).toEqual([
      [1, 27, 160, 1],
      [1, 1023, 255, 0],
    ]);
  });

  it('an update whose lines were cut off says that they are not shown', () => {
    const { records } = assemble(hppi(0, 27, 160, 1).split('\n')[0]!);
    expect(records[0]!.flags & RECORD_FLAGS.valueUnknown).not.toBe(0);
  });

  it('packed affinities become indices', () => {
    expect(assemble(hppi(0x103, 27, 160)).records[0]!.pe).toBe(19);
    for (let pe = 0; pe < 512; pe++) expect(peOf(affinityOf(pe))).toBe(pe);
  });
});

describe('cause before effect', () => {
  const WRITE = 'gicv3_dist_write GICv3 distributor write: offset 0x104 data 0x1 size 4 secure 0';
  const REGION = "memory_region_ops_write cpu 1 mr 0x5 addr 0x8000104 value 0x1 size 4 name 'gicv3_dist'";

  it('a register write is printed after what it did, and put before it', () => {
    expect(kinds(`${hppi(0)}\n${hppi(1)}\n${WRITE}`)).toEqual(['mmio.write', 'hppi', 'hppi']);
  });

  it('but what came before its effects stays there', () => {
    expect(
      kinds(
        `gicv3_icc_pmr_write GICv3 ICC_PMR write cpu 0x1 value 0xf0\n${hppi(1)}\n${hppi(0)}\n${hppi(1)}\n${WRITE}`,
      ),
    ).toEqual(['sysreg.write', 'hppi', 'mmio.write', 'hppi', 'hppi']);
  });

  it('a write that updates nothing claims nothing', () => {
    expect(kinds(`${hppi(0)}\n${WRITE.replace('0x104', '0xc08')}`)).toEqual(['hppi', 'mmio.write']);
  });

  it('with memory regions the stimulus is printed first, and the later line confirms it', () => {
    const { records } = assemble(`${REGION}\n${hppi(0)}\n${hppi(1)}\n${WRITE}`);
    expect(records.map((r) => r.kind)).toEqual(['mmio.write', 'hppi', 'hppi']);
    expect([records[0]!.pe, records[0]!.flags]).toEqual([1, RECORD_FLAGS.confirmed]);
  });

  it.each([
    ['value', WRITE.replace('data 0x1', 'data 0x3')],
    ['address', WRITE.replace('0x104', '0x108')],
    ['width', WRITE.replace('size 4', 'size 8')],
  ])('two tellings that differ in their %s are a conflict', (_what, line) => {
    const { records } = assemble(`${REGION}\n${line}`);
    expect(records.map((r) => r.kind)).toEqual(['mmio.write', 'source.conflict']);
    expect(records[1]!.fields.firstLine).toBe(1);
  });

  it('an acknowledge comes after its effects: one line for an SGI, PPI or LPI, all PEs for an SPI, none for 1023', () => {
    const iar = (value: string) => `gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value ${value}`;
    expect(kinds(`${hppi(1, 27, 160, 1)}\n${hppi(1, 27)}\n${iar('0x1b')}`)[1]).toBe('sysreg.read');
    expect(kinds(`${hppi(1, 8192, 160, 1)}\n${hppi(1, 8192)}\n${iar('0x2000')}`)[1]).toBe('sysreg.read');
    expect(kinds(`${hppi(0)}\n${hppi(1)}\n${iar('0x24')}`)).toEqual(['sysreg.read', 'hppi', 'hppi']);
    expect(kinds(`${hppi(1)}\n${iar('0x3ff')}`)).toEqual(['hppi', 'sysreg.read']);
  });

  it('an EOI comes before its effects', () => {
    expect(kinds(`gicv3_icc_eoir_write GICv3 ICC_EOIR1 write cpu 0x0 value 0x1b\n${hppi(0)}`)).toEqual([
      'sysreg.write',
      'hppi',
    ]);
  });

  it('bad accesses are flagged', () => {
    const { records } = assemble(
      'gicv3_dist_badread GICv3 distributor read: offset 0xc size 4 secure 0: error',
    );
    expect([records[0]!.kind, records[0]!.flags, records[0]!.fields.offset]).toEqual([
      'mmio.read',
      RECORD_FLAGS.reserved,
      12,
    ]);
  });

  it('the PE of a Distributor access follows from the thread, once it is named', () => {
    const { records } = assemble(
      `7@1.000000:${WRITE}\n7@1.000001:gicv3_icc_pmr_read GICv3 ICC_PMR read cpu 0x2 value 0x0\n7@1.000002:${WRITE}`,
    );
    expect(records.map((r) => [r.pe, r.rule])).toEqual([
      [-1, 0],
      [2, 0],
      [2, RULES['pe-from-thread'].id],
    ]);
  });

  it('a PE with a thread of its own cannot be on another', () => {
    const line = (thread: number, pe: number) =>
      `${thread}@1.000000:gicv3_icc_ctlr_read GICv3 ICC_CTLR read cpu 0x${pe} value 0x8c00`;
    expect(kinds([line(7, 0), line(8, 1), line(7, 1)].join('\n'))).toEqual([
      'sysreg.read',
      'sysreg.read',
      'sysreg.read',
      'source.conflict',
    ]);
    // All PEs are on one thread, on which QEMU runs them in turn.
    expect(kinds([line(7, 0), line(7, 1), line(7, 0)].join('\n'))).not.toContain('source.conflict');
  });

  it('a wire that does not change is a conflict', () => {
    const wire = (level: number) =>
      `gicv3_redist_set_irq GICv3 redistributor 0x0 interrupt 27 level changed to ${level}`;
    expect(kinds([wire(1), wire(0)].join('\n'))).toEqual(['wire.set', 'wire.set']);
    expect(kinds(wire(0))).toEqual(['wire.set', 'source.conflict']);
  });

  it('an SGI is rebuilt, and says so', () => {
    const { records } = assemble(
      'gicv3_icc_generate_sgi GICv3 CPU i/f 0x1 generating SGI 5 IRM 0 target affinity 0x10203xx targetlist 0x8',
    );
    expect(records[0]!.fields.value).toBe(
      (0x01n << 48n) | (0x02n << 32n) | (5n << 24n) | (0x03n << 16n) | 8n,
    );
    expect(records[0]!.rule).toBe(RULES['sgi-register'].id);
  });
});

describe('an ITS', () => {
  const SETUP = 'gicv3_its_write GICv3 ITS write: offset 0x80 data 0x8000000042590000 size 8';
  const COMMANDS = `gicv3_its_process_command GICv3 ITS: processing command at offset 0x11: 0x8
gicv3_its_cmd_mapd GICv3 ITS: command MAPD DeviceID 0x8 Size 0x2 ITT_addr 0x42d2ce V 1
gicv3_its_dte_write GICv3 ITS: Device Table write for DeviceID 0x8: valid 1 size 0x2 ITTaddr 0x42d2ce
gicv3_its_process_command GICv3 ITS: processing command at offset 0x12: 0x5
gicv3_its_cmd_sync GICv3 ITS: command SYNC`;
  const CWRITER = 'gicv3_its_write GICv3 ITS write: offset 0x88 data 0x260 size 8';

  it('the slots, then the write that runs them, then the commands; ITT_addr in bytes', () => {
    const { records } = assemble(`${SETUP}\n${COMMANDS}\n${CWRITER}`);
    expect(records.map((r) => r.kind)).toEqual([
      'mmio.write',
      'queue.write',
      'queue.write',
      'mmio.write',
      'its.command',
      'dte.write',
      'its.command',
    ]);
    expect(records[1]!.text).toContain('ITT_addr 0x42d2ce00');
    expect(records[1]!.fields.address).toBe(0x4259_0220);
    expect(records[1]!.rule).toBe(RULES['command-from-decode'].id);
    expect(records[4]!.fields.shown).toBe(0b1111);
    expect(records[5]!.fields.ITT_addr).toBe(0x42d2_ce00);
    // SYNC prints no operand.
    expect(records[6]!.fields.shown).toBe(0);
  });

  it('where the log shows the stores to the queue, no slot is rebuilt', () => {
    const store = 'plugin_ram_store vcpu 0 pa 0x42590220 size 8 value 0x800000008 pc 0x1';
    expect(kinds(`${SETUP}\n${store}\n${COMMANDS}\n${CWRITER}`)).toEqual([
      'mmio.write',
      'mem.write',
      'mmio.write',
      'its.command',
      'dte.write',
      'its.command',
    ]);
  });

  it('commands at the end whose write was cut off are left out, and counted', () => {
    const { records, losses } = assemble(`${SETUP}\n${COMMANDS}`);
    expect(records.map((r) => r.kind)).toEqual(['mmio.write']);
    expect([...losses.counts.values()]).toEqual([3]);
  });

  it('VMAPTI is known by its event, whatever its text says', () => {
    const { records } = assemble(`${SETUP}
gicv3_its_process_command GICv3 ITS: processing command at offset 0x0: 0x2a
gicv3_its_cmd_vmapti GICv3 ITS: command VMAPI DeviceID 0x8 EventID 0x1 vPEID 0x2 vINTID 0x2003 Dbell_pINTID 0x3ff
gicv3_its_write GICv3 ITS write: offset 0x88 data 0x20 size 8`);
    expect(records.find((r) => r.kind === 'its.command')!.text).toContain('VMAPTI');
  });

  it('an opcode that its operands contradict is a conflict', () => {
    expect(kinds(`${SETUP}\n${COMMANDS.replace(': 0x8\n', ': 0x9\n')}\n${CWRITER}`)).toContain(
      'source.conflict',
    );
  });

  it('an MSI carries its DeviceID; told twice, it is one record', () => {
    const { records } =
      assemble(`memory_region_ops_write cpu -1 mr 0x5 addr 0x8090040 value 0x1 size 4 name 'translation'
gicv3_its_translation_write GICv3 ITS TRANSLATER write: offset 0x40 data 0x1 size 4 requester_id 0x8`);
    expect(records.map((r) => [r.kind, r.fields.DeviceID, r.fields.EventID, r.flags])).toEqual([
      ['msi.write', 8, 1, RECORD_FLAGS.confirmed],
    ]);
  });
});

describe('which GIC it was', () => {
  const typer = (pe: number, last: boolean) =>
    `gicv3_redist_read GICv3 redistributor 0x${pe} read: offset 0x8 data 0x${pe}010${(pe * 256 + (last ? 0x11 : 1)).toString(16).padStart(5, '0')} size 8 secure 0`;

  it('counts PEs by GICR_TYPER.Last, else by the lines, else by the option; says which', () => {
    const byLast = assemble(`${typer(0, false)}\n${typer(1, true)}`).identity.decide({});
    expect([byLast.config.pes.length, byLast.provenance.pes]).toEqual([2, 'log']);
    const byLines = assemble(`${hppi(0)}\n${hppi(2)}`).identity.decide({});
    expect([byLines.config.pes.length, byLines.provenance.pes]).toEqual([3, 'counted']);
    const byOption = assemble(hppi(0)).identity.decide({ pes: 8, gic: 4, its: true });
    expect([
      byOption.config.pes.length,
      byOption.config.architecture,
      byOption.config.its.length,
      byOption.provenance.pes,
    ]).toEqual([8, 4, 1, 'option']);
  });

  it('other regions are not a GIC, and counted by name', () => {
    const { records, losses } = assemble(
      "memory_region_ops_write cpu 0 mr 0x5 addr 0x9000000 value 0x41 size 1 name 'pl011'",
    );
    expect([records.length, [...losses.counts]]).toEqual([0, [['memory region pl011: not a GIC', 1]]]);
  });
});

describe('guest memory that was read', () => {
  const CBASER = `gicv3_its_write GICv3 ITS write: offset 0x80 data 0x8000000050400000 size 8 secure 0`;
  const CWRITER = `memory_region_ops_write cpu 0 mr 0x1 addr 0x8080088 value 0x20 size 8 name 'control'`;
  const DONE = `gicv3_its_write GICv3 ITS write: offset 0x88 data 0x20 size 8 secure 0`;
  const queue = (...words: string[]) => `gictrace_queue pa 0x50400000 holds ${words.join(' ')}`;
  const inv = (event: number) => `
    gicv3_its_process_command GICv3 ITS: processing command at offset 0x0: 0xc
    gicv3_its_cmd_inv GICv3 ITS: command INV DeviceID 0x8 EventID 0x${event}`;
  const rules = (records: Shown[]) =>
    records.filter(({ kind }) => kind === 'queue.write').map(({ rule, fields }) => [rule, fields.dw1]);

  it('goes before the access that has the GIC look at it', () => {
    const { records, losses } = assemble(`${CBASER}
      1@5.000001:gictrace_ram_unknown pa 0x140000000 length 0x20
      1@5.000001:gictrace_ram_known pa 0x140000000 length 0x1f byte 0xa2
      1@5.000001:gictrace_ram_store pa 0x14000001f size 1 value 0xa1
      ${queue('0x80000000c', '0x3', '0x0', '0x0')}
      ${CWRITER}${inv(3)}
      ${DONE}`);
    expect(records.map(({ kind }) => kind)).toEqual([
      ...['mmio.write', 'mem.unknown', 'mem.known', 'mem.write', 'queue.write', 'mmio.write', 'its.command'],
    ]);
    expect(records[2]!.fields).toEqual({ address: 0x1_4000_0000, length: 0x1f, byte: 0xa2 });
    expect(records[3]!.fields).toEqual({ address: 0x1_4000_001f, width: 1, value: 0xa1n });
    expect(new Set(records.slice(1, 5).map(({ rule }) => rule))).toEqual(new Set([RULES['memory-read'].id]));
    expect([...losses.counts]).toEqual([]);
  });

  it.each([
    ['operands', queue('0x80000000c', '0x7', '0x0', '0x0')],
    ['command', queue('0x5', '0x0', '0x0', '0x0')],
  ])('is not believed where the ITS read another slot: its %s', (_what, told) => {
    const { records, losses } = assemble(`${CBASER}
      ${told}
      ${CWRITER}${inv(3)}
      ${DONE}`);
    expect(rules(records).at(-1)).toEqual([RULES['command-from-decode'].id, 3n]);
    expect(records.findIndex(({ kind }) => kind === 'its.command')).toBe(records.length - 1);
    expect([...losses.counts]).toEqual([
      ['command slots that were read of guest memory otherwise than the ITS read them', 1],
    ]);
  });
});
