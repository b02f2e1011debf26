// Guest memory in the recording of a running QEMU: a guest that does nothing but the stores of a list, as fast as it can,
// and the recording must hold what it stored, at the moments at which the GIC looked.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GuestMemory } from '@gictrace/core/model';
import { RECORD_WORDS, RECORDS, RULES } from '@gictrace/core/record';
import { encodeCommand, FRAMES, GITS, SYSREGS } from '@gictrace/core/spec';
import { TraceReader } from '@gictrace/recorder';
import { replayTrace } from '@gictrace/replayer';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import {
  addImmediate,
  b,
  beq,
  Code,
  cmp,
  HVC,
  load,
  movAddress,
  movz,
  msr,
  SMC,
  store,
} from '../packages/replayer/src/backends/qemu/aarch64.ts';
import { QEMUS } from './qemus.ts';
import { scratch } from './support.ts';

// QEMU waits at each line until it has been read, twice as often with later ones.
vi.setConfig({ testTimeout: 180_000 });
const temp = scratch();
afterAll(() => temp.dispose());
const BIN = fileURLToPath(new URL('../packages/cli/bin/gictrace.js', import.meta.url));

/** One store of the guest. */
interface Store {
  readonly address: number;
  readonly width: 1 | 4 | 8;
  readonly value: bigint;
}
const LOADED_AT = 0x4020_0000;
const LIST_OFFSET = 0x1000;
const ENTRY_BYTES = 24;

/** A guest that does the stores, then powers off. */
function image(stores: readonly Store[], call: number): Buffer {
  const code = new Code(LOADED_AT);
  if (call === SMC) {
    // At EL2: a virtual CPU interface that takes all there is.
    code.emit(...movAddress(0, 0xff00_0002), msr(SYSREGS.ICH_VMCR_EL2.encoding, 0));
    code.emit(movz(0, 1), msr(SYSREGS.ICH_HCR_EL2.encoding, 0));
  }
  // As any driver does first: which GIC it is.
  for (const [width, address] of [
    [4, GICD + 0xffe8],
    [8, GICR + 0x8],
    [8, GITS_BASE + 0x8],
  ] as const)
    code.emit(...movAddress(0, address), load(width, 1, 0));
  code.emit(...movAddress(10, LOADED_AT + LIST_OFFSET), movz(3, 1), movz(4, 4), movz(5, 8));
  code.label('next').emit(load(8, 0, 10), load(8, 1, 10, 8), load(4, 2, 10, 16));
  code.emit(addImmediate(10, 10, ENTRY_BYTES));
  for (const [register, width] of [
    [3, 1],
    [4, 4],
    [5, 8],
  ] as const)
    code.emit(cmp(2, register)).to(`store${width}`, beq);
  // SYSTEM_OFF
  code.emit(...movAddress(0, 0x8400_0008), call);
  for (const width of [1, 4, 8] as const)
    code
      .label(`store${width}`)
      .emit(store(width, 1, 0))
      .to('next', b);
  const program = code.words();
  const bytes = Buffer.alloc(LIST_OFFSET + (stores.length + 1) * ENTRY_BYTES);
  Buffer.from(program.buffer, program.byteOffset, program.byteLength).copy(bytes);
  stores.forEach(({ address, width, value }, index) => {
    const at = LIST_OFFSET + index * ENTRY_BYTES;
    bytes.writeBigUInt64LE(BigInt(address), at);
    bytes.writeBigUInt64LE(value, at + 8);
    bytes.writeUInt32LE(width, at + 16);
  });
  return bytes;
}

const GICD = 0x0800_0000;
const GITS_BASE = 0x0808_0000;
const GICR = 0x080a_0000;
const CONFIG = 0x5000_0000;
const CONFIG_BYTES = 0x1_0000 - 8192;
const PENDING = 0x5010_0000;
const LEVEL1 = 0x5020_0000;
const LEVEL2 = 0x5021_0000;
const COLLECTIONS = 0x5030_0000;
const QUEUE = 0x5040_0000;
const SLOTS = 128;
const VPES = 0x5060_0000;
const VPT = 0x5070_0000;
const VCONFIG = 0x5080_0000;
const ITT = 0x5050_0000;
const DEVICE = 8;
const EVENTS = 16;
const CWRITER = GITS_BASE + GITS.GITS_CWRITER.offset;
const VALID = 1n << 63n;
const INDIRECT = 1n << 62n;
const PAGES_64K = 0x200n;

/** What a driver stores, in order. */
class Driver {
  readonly stores: Store[] = [];
  private slot = 0;
  put(address: number, width: 1 | 4 | 8, value: bigint | number): void {
    this.stores.push({ address, width, value: BigInt(value) });
  }
  command(...args: Parameters<typeof encodeCommand>): void {
    const bytes = Buffer.from(encodeCommand(...args).buffer);
    for (let at = 0; at < 32; at += 8) this.put(QUEUE + 32 * this.slot + at, 8, bytes.readBigUInt64LE(at));
    this.slot = (this.slot + 1) % SLOTS;
  }
  go(): void {
    this.put(CWRITER, 8, 32 * this.slot);
  }
  setUp(): void {
    this.put(GICD, 4, 2);
    // LPIs that are pending before there is an ITS, and what the table holds of them.
    this.put(PENDING + 8200 / 8, 1, 0x41);
    this.put(CONFIG + 8200 - 8192, 1, 0xa1);
    this.put(CONFIG + 8206 - 8192, 1, 0xc1);
    this.put(GICR + 0x70, 8, CONFIG + 15);
    this.put(GICR + 0x78, 8, PENDING);
    this.put(GICR, 4, 1);
    this.put(LEVEL1, 8, BigInt(LEVEL2) | VALID);
    this.put(GITS_BASE + 0x100, 8, BigInt(LEVEL1) | PAGES_64K | VALID | INDIRECT);
    this.put(GITS_BASE + 0x108, 8, BigInt(COLLECTIONS) | PAGES_64K | VALID);
    this.put(GITS_BASE + 0x110, 8, BigInt(VPES) | PAGES_64K | VALID);
    this.put(GITS_BASE + 0x80, 8, BigInt(QUEUE) | VALID);
    this.put(GITS_BASE, 4, 1);
    this.command('MAPC', { ICID: 0, RDbase: 0, V: 1 });
    this.command('MAPD', { DeviceID: DEVICE, Size: 3, ITT_addr: ITT, V: 1 });
    this.go();
    for (let EventID = 0; EventID < EVENTS; EventID++)
      this.command('MAPTI', { DeviceID: DEVICE, EventID, ICID: 0, pINTID: 8192 + EventID });
    this.go();
  }
}

const step = fc.record({
  kind: fc.constantFrom('inv', 'inv', 'inv', 'int', 'clear', 'invall'),
  event: fc.nat(EVENTS - 1),
  byte: fc.nat(255),
});

/** The words that record a QEMU with an image. */
const words = (
  command: string,
  image: string,
  trace: string,
  options: readonly string[],
  machine: string,
) => [
  ...[BIN, 'record', 'qemu', '-o', trace, '--force', ...options, '--', command],
  ...['-M', machine, '-cpu', 'cortex-a57', '-m', '512', '-nographic', '-monitor', 'none', '-nic', 'none'],
  ...['-device', `loader,file=${image},addr=${LOADED_AT},cpu-num=0,force-raw=on`],
];

/** Records a QEMU whose guest does these stores. */
function record(
  command: string,
  name: string,
  stores: readonly Store[],
  options: readonly string[] = [],
  machine = 'virt,gic-version=3',
): string {
  const path = temp.path(`${name}.bin`);
  const trace = temp.path(`${name}.gictrace`);
  writeFileSync(path, image(stores, machine.includes('virtualization') ? SMC : HVC));
  const { status, stderr } = spawnSync(process.execPath, words(command, path, trace, options, machine));
  expect([status, String(stderr)]).toEqual([0, `wrote ${trace}\n`]);
  return trace;
}

/** What the guest had stored, and what the recording says that memory held, at each write to GITS_CWRITER. */
function* looks(trace: string, stores: readonly Store[]): Generator<[GuestMemory, GuestMemory]> {
  const truth = new GuestMemory();
  const told = new GuestMemory();
  let next = 0;
  const reader = TraceReader.open(trace);
  try {
    for (const { batch } of reader.batches())
      for (let i = 0; i < batch.count; i++) {
        const w = batch.words.subarray(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
        const address = w[1]! * 2 ** 32 + w[0]!;
        switch (batch.kind[i]) {
          case RECORDS['mem.write'].id:
            told.write(address, w[2]!, w[3]!, w[4]!);
            break;
          case RECORDS['mem.known'].id:
            told.mark(address, w[2]!, true, w[3]!);
            break;
          case RECORDS['mem.unknown'].id:
            told.mark(address, w[2]!, false, 0);
            break;
          case RECORDS['queue.write'].id:
            for (let k = 0; k < 8; k++) told.write(w[2]! * 2 ** 32 + w[1]! + 4 * k, 4, w[3 + k]!, 0);
            break;
          case RECORDS['mmio.write'].id: {
            if (w[0] !== FRAMES.indexOf('GITS') || w[2] !== GITS.GITS_CWRITER.offset) break;
            for (; stores[next]!.address !== CWRITER; next++) {
              const { address: at, width, value } = stores[next]!;
              truth.write(at, width, Number(value & 0xffff_ffffn), Number(value >> 32n));
            }
            next++;
            yield [truth, told];
          }
        }
      }
  } finally {
    reader.close();
  }
}

const held = (memory: GuestMemory, address: number, length: number) =>
  Buffer.from(Uint8Array.from({ length }, (_, at) => memory.readByte(address + at))).toString('hex');

// Without QEMU the file holds one test that is skipped: a file without tests is an error.
it.skipIf(QEMUS.length > 0)('guest memory, QEMU', (test) => test.skip());

describe.each(QEMUS)('guest memory, QEMU $release', ({ command, release }) => {
  it('is recorded as the guest stored it, whenever the GIC looked', () => {
    const driver = new Driver();
    driver.setUp();
    const [steps] = fc.sample(fc.array(step, { minLength: 1500, maxLength: 1500 }), { numRuns: 1, seed: 20 });
    for (const { kind, event, byte } of steps!) {
      if (kind !== 'int' && kind !== 'clear') driver.put(CONFIG + event, 1, byte);
      if (kind === 'invall') driver.put(CONFIG + ((event + 7) % EVENTS), 1, byte ^ 0xff);
      const name = kind.toUpperCase() as 'INV' | 'INT' | 'CLEAR' | 'INVALL';
      driver.command(name, name === 'INVALL' ? { ICID: 0 } : { DeviceID: DEVICE, EventID: event });
      driver.command('SYNC', { RDbase: 0 });
      driver.go();
      // At once: a reader that is late sees this in place of what the GIC saw.
      if (byte % 3 === 0) driver.put(CONFIG + event, 1, byte ^ 0x81);
    }
    const trace = record(command, 'stores', driver.stores);
    let count = 0;
    for (const [truth, told] of looks(trace, driver.stores)) {
      count++;
      expect(told.areKnown(CONFIG, CONFIG_BYTES)).toBe(true);
      for (const table of [LEVEL1, LEVEL2, COLLECTIONS]) expect(told.areKnown(table, 0x1_0000)).toBe(true);
      expect(held(told, CONFIG, EVENTS)).toBe(held(truth, CONFIG, EVENTS));
      for (let slot = 0; slot < SLOTS; slot++)
        if (told.isKnown(QUEUE + 32 * slot))
          expect(held(told, QUEUE + 32 * slot, 32)).toBe(held(truth, QUEUE + 32 * slot, 32));
    }
    expect(count).toBe(steps!.length + 2);
    const reader = TraceReader.open(trace);
    const { rules, kinds } = reader.footer!;
    reader.close();
    expect(Object.keys(rules)).toEqual(['memory-read']);
    expect(kinds['queue.write']).toBe(2 * steps!.length + 18);
    const verdict = replayTrace(trace, { version: 'test' });
    expect([verdict.diverged, verdict.compared['its.command']]).toEqual([0, 2 * steps!.length + 18]);
  });

  it('of vPEs is recorded too', () => {
    const driver = new Driver();
    driver.setUp();
    driver.put(VCONFIG + 3, 1, 0xa1);
    driver.put(VPT + 8192 / 8, 1, 0x20);
    driver.put(VCONFIG + 5, 1, 0xb1);
    driver.command('VMAPP', { vPEID: 3, RDbase: 0, V: 1, VPT_addr: VPT, VPT_size: 15 });
    for (let EventID = 0; EventID < EVENTS; EventID += 2)
      driver.command('VMAPTI', {
        ...{ DeviceID: DEVICE, EventID, vPEID: 3, vINTID: 8192 + EventID, Dbell_pINTID: 1023 },
      });
    driver.go();
    driver.put(GICR + 0x2_0070, 8, VCONFIG + 15);
    driver.put(GICR + 0x2_0078, 8, BigInt(VPT) | VALID);
    const [steps] = fc.sample(fc.array(step, { minLength: 400, maxLength: 400 }), { numRuns: 1, seed: 4 });
    for (const { kind, event, byte } of steps!) {
      driver.put(VCONFIG + event, 1, byte);
      driver.command(kind === 'int' ? 'INT' : 'INV', { DeviceID: DEVICE, EventID: event - (event % 2) });
      driver.command('VSYNC', { vPEID: 3 });
      driver.go();
      if (byte % 3 === 0) driver.put(VCONFIG + event, 1, byte ^ 0x81);
    }
    const trace = record(command, 'vpes', driver.stores, [], 'virt,gic-version=4,virtualization=on');
    let resident = 0;
    for (const [truth, told] of looks(trace, driver.stores)) {
      if (!told.areKnown(VCONFIG, CONFIG_BYTES)) continue;
      resident++;
      expect(held(told, VCONFIG, EVENTS)).toBe(held(truth, VCONFIG, EVENTS));
      expect(told.areKnown(VPT, 8192)).toBe(true);
    }
    expect(resident).toBe(steps!.length);
    const reader = TraceReader.open(trace);
    const { rules, kinds } = reader.footer!;
    reader.close();
    expect([Object.keys(rules), kinds.vhppi! > 100]).toEqual([['memory-read'], true]);
    expect(replayTrace(trace, { version: 'test' }).diverged).toBe(0);
  });

  it.each(['perl', 'python3', 'none'])('takes an interpreter that has QEMU wait: %s', (helper) => {
    const folder = temp.path(`with-${helper}-${release}`);
    mkdirSync(folder);
    for (const name of ['qemu-system-aarch64', 'mkfifo', 'true', helper])
      if (name !== 'none') {
        const found = ['/usr/bin', '/bin', '/usr/local/bin'].map((at) => join(at, name)).find(existsSync);
        if (found === undefined) {
          console.warn(`SKIPPED: there is no ${name} to try`);
          return;
        }
        symlinkSync(found, join(folder, name));
      }
    const driver = new Driver();
    driver.setUp();
    const path = temp.path('helper.bin');
    writeFileSync(path, image(driver.stores, HVC));
    const all = words(command, path, temp.path('helper.gictrace'), ['--json'], 'virt,gic-version=3');
    const { status, stdout, stderr } = spawnSync(process.execPath, all, {
      env: { PATH: folder },
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    const { memory } = (JSON.parse(stdout) as { qemu: { memory: { lines: number } | null } }).qemu;
    const isTold = memory !== null && memory.lines > 0;
    expect([isTold, stderr.includes('guest memory is not recorded: it takes')]).toEqual(
      helper === 'none' ? [false, true] : [true, false],
    );
  });

  it('is inferred with --no-memory, and the trace says which it is', () => {
    const driver = new Driver();
    driver.setUp();
    const losses = (trace: string) => {
      const reader = TraceReader.open(trace);
      const found = [reader.header.losses[0]!.what, Object.keys(reader.footer!.rules)] as const;
      reader.close();
      return found;
    };
    const [lossWithout, without] = losses(record(command, 'without', driver.stores, ['--no-memory']));
    expect(lossWithout).toBe('guest memory, but for stores that a plugin logs');
    expect(without).toContain('command-from-decode');
    expect(without).toContain('table-placed');
    expect(without).not.toContain('memory-read');
    expect(losses(record(command, 'with', driver.stores))).toEqual([
      'guest memory, but for what the GIC looks at',
      ['memory-read'],
    ]);
    expect(RULES['memory-read'].class).toBe('inferred');
  });
});
