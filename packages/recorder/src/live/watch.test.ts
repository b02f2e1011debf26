// When guest memory is looked at, and at what: lines of the log in, lines about memory out.
import { encodeCommand } from '@gictrace/core/spec';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryLog } from './memory-log.ts';
import { MemoryWatch } from './watch.ts';

const GITS = 0x0808_0000;
const GICR = 0x080a_0000;
const RAM = 0x4000_0000;
const [CONFIG, OTHER, VCONFIG, QUEUE] = [RAM, RAM + 0x2_0000, RAM + 0x4_0000, RAM + 0x6_0000];
const [VPT, PENDING] = [RAM + 0x7_0000, RAM + 0x8_0000];
const VALID = 2 ** 63;

let ram: Buffer;
let told: string[];
let watch: MemoryWatch;
let slot: number;

beforeEach(() => {
  ram = Buffer.alloc(0x10_0000);
  told = [];
  slot = 0;
  const read = (address: number, length: number) =>
    address >= RAM && address + length <= RAM + ram.length
      ? Buffer.from(ram.subarray(address - RAM, address - RAM + length))
      : undefined;
  const memoryLog = new MemoryLog({ read }, (line) => told.push(line.trim()));
  const region = { name: 'gicv3_redist_region[0]', from: GICR, length: 0x8_0000, offset: 0 };
  watch = new MemoryWatch(memoryLog, [region], 2);
});

function write(address: number, value: number | bigint, name: string): string[] {
  told = [];
  const text = `7@5.000001:memory_region_ops_write cpu 0 mr 0x1 addr 0x${address.toString(16)} value 0x${BigInt(value).toString(16)} size 8 name '${name}'`;
  const line = Buffer.from(`before\n${text}\nafter`);
  watch.line(line, 7, 7 + text.length);
  return told;
}
const its = (offset: number, value: number | bigint) => write(GITS + offset, value, 'control');
const redistributor = (offset: number, value: number | bigint) =>
  write(GICR + offset, value, 'gicv3_redist_region[0]');
/** Puts commands into the queue and has them executed; answers what was told but of the queue. */
function commands(...list: Parameters<typeof encodeCommand>[]): string[] {
  for (const command of list) {
    Buffer.from(encodeCommand(...command).buffer).copy(ram, QUEUE - RAM + 32 * slot++);
  }
  const lines = its(0x88, 32 * slot);
  for (let n = slot - list.length; n < slot; n++) {
    const text = `7@5.000002:gicv3_its_process_command GICv3 ITS: processing command at offset 0x${n.toString(16)}: 0x5`;
    watch.line(Buffer.from(text), 0, text.length);
  }
  expect(lines.filter((line) => line.includes('gictrace_queue')).length).toBe(list.length);
  return lines.filter((line) => !line.includes('gictrace_queue'));
}
function enable(config: number, frame = 0): string[] {
  redistributor(frame + 0x70, config + 15);
  redistributor(frame + 0x78, PENDING);
  return redistributor(frame, 1);
}
function startIts(): void {
  its(0x80, BigInt(QUEUE) | (1n << 63n));
  its(0, 1);
}
const about = (lines: readonly string[], address: number) =>
  lines.filter((line) => line.includes(`pa 0x${address.toString(16)} `));

describe('LPI configurations', () => {
  it('are told when LPIs are enabled, and then what has changed', () => {
    startIts();
    const first = enable(CONFIG);
    expect(about(first, CONFIG)).toEqual([
      `7@5.000001:gictrace_ram_unknown pa 0x40000000 length 0xe000`,
      `7@5.000001:gictrace_ram_known pa 0x40000000 length 0xe000 byte 0x0`,
    ]);
    expect(about(first, PENDING + 1024).length).toBe(2);
    ram[5] = 0xa1;
    expect(commands(['SYNC', { RDbase: 0 }])).toEqual([
      '7@5.000001:gictrace_ram_store pa 0x40000005 size 1 value 0xa1',
    ]);
    expect(commands(['SYNC', { RDbase: 0 }])).toEqual([]);
    ram[6] = 0xa2;
    expect(write(GITS + 0x1_0040, 3, 'translation')).toEqual([
      '7@5.000001:gictrace_ram_store pa 0x40000006 size 1 value 0xa2',
    ]);
  });

  it('are told once of a table that two PEs share, and no longer when both have another', () => {
    startIts();
    enable(CONFIG);
    expect(about(enable(CONFIG, 0x4_0000), CONFIG)).toEqual([]);
    ram[5] = 1;
    expect(commands(['SYNC', { RDbase: 0 }]).length).toBe(1);
    expect(about(enable(OTHER), OTHER).length).toBe(2);
    ram[5] = 2;
    expect(commands(['SYNC', { RDbase: 0 }]).length).toBe(1);
    enable(OTHER, 0x4_0000);
    ram[5] = 3;
    expect(commands(['SYNC', { RDbase: 0 }])).toEqual([]);
  });

  it('of a vPE are told from when it is resident until it is unmapped', () => {
    startIts();
    const map = { vPEID: 2, RDbase: 0, VPT_addr: VPT, VPT_size: 15 };
    expect(about(commands(['VMAPP', { ...map, V: 1 }]), VPT).length).toBe(2);
    redistributor(0x2_0070, VCONFIG + 15);
    expect(about(redistributor(0x2_0078, BigInt(VPT) + BigInt(VALID)), VCONFIG).length).toBe(2);
    ram[VCONFIG - RAM + 1] = 9;
    expect(commands(['VSYNC', { vPEID: 2 }]).length).toBe(1);
    redistributor(0x2_0078, BigInt(VPT));
    commands(['VMAPP', { ...map, V: 0 }]);
    ram[VCONFIG - RAM + 1] = 8;
    expect(commands(['VSYNC', { vPEID: 2 }])).toEqual([]);
    expect(commands(['VMAPP', { ...map, V: 1 }]).length).toBe(2);
    expect(about(redistributor(0x2_0078, BigInt(VPT) + BigInt(VALID)), VCONFIG).length).toBe(2);
  });
});

describe('commands', () => {
  it('are told when the ITS is enabled, and none while it is not', () => {
    its(0x80, BigInt(QUEUE) | (1n << 63n));
    expect(its(0x88, 64)).toEqual([]);
    expect(its(0, 1).length).toBe(2);
  });

  it('go round the queue, from where the ITS is', () => {
    startIts();
    slot = 126;
    its(0x88, 32 * 126);
    const text = '7@5.000002:gicv3_its_process_command GICv3 ITS: processing command at offset 0x7d: 0x5';
    watch.line(Buffer.from(text), 0, text.length);
    const lines = its(0x88, 64);
    expect(lines.map((line) => /pa (0x\w+)/.exec(line)![1])).toEqual(
      [126, 127, 0, 1].map((n) => `0x${(QUEUE + 32 * n).toString(16)}`),
    );
  });

  it('beyond the queue are none', () => {
    startIts();
    expect(its(0x88, 0xf_ffe0)).toEqual([]);
  });
});
