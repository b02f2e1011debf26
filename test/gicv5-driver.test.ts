// The drivers of the designs of a GICv5, held against Linux: the accesses and instructions of real boots, in order.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DESIGNS, type Operation, Translation } from '@gictrace/core/irqchip';
import { KIND, RECORD_WORDS, type RecordBatch } from '@gictrace/core/record';
import { FRAMES, GICV5_TYPES, gicv5Id, gicv5SysregName, gicv5Type, registerAt } from '@gictrace/core/spec';
import { importGicv5ToTrace, TraceReader } from '@gictrace/recorder';
import { afterAll, describe, expect, it } from 'vitest';

const dir = mkdtempSync(join(tmpdir(), 'gictrace-gicv5-driver-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** What only the handling of an interrupt does, and what depends on when something happens. */
const OTHER = new Set(['GIC_CDEOI', 'GIC_CDDI', 'GIC_CDRCFG', 'GSB_SYS', 'GSB_ACK']);
/** Where a table is, is a matter of the allocator. */
const ADDRESSES = new Set(['IRS_IST_BASER']);
const isIpi = (name: string, high: number) => name === 'GIC_CDPEND' && high === 1;

/** An access to the IRS, or a GIC instruction that configures an interrupt, as text; undefined for anything else. */
function textOf(batch: RecordBatch, i: number): string | undefined {
  const at = i * RECORD_WORDS;
  const w = batch.words;
  const kind = batch.kind[i]!;
  if (kind === KIND['mmio.read'] || kind === KIND['mmio.write']) {
    const isRead = kind === KIND['mmio.read'];
    // Accesses to an ITS are those of a driver alone: no boot has one.
    if (FRAMES[w[at]!] !== 'IRS') return undefined;
    const { label } = registerAt(w[at]!, w[at + 2]!)!;
    const value = isRead || ADDRESSES.has(label) ? '' : ` ${w[at + 4]!.toString(16)}`;
    return `${isRead ? 'read' : 'write'} ${label}/${w[at + 3]}${value}`;
  }
  if (kind !== KIND['sysreg.write']) return undefined;
  const name = gicv5SysregName(w[at]!);
  if (name === undefined || !name.startsWith('GIC_') || OTHER.has(name) || isIpi(name, w[at + 2]!))
    return undefined;
  return `${name} ${w[at + 1]!.toString(16)} ${w[at + 2]!.toString(16)}`;
}

/** What a boot does, in order. */
async function recorded(name: string): Promise<string[]> {
  const [input, trace] = [join(dir, 'in.log'), join(dir, 'out.gictrace')];
  writeFileSync(input, gunzipSync(readFileSync(join(import.meta.dirname, 'recordings', name))));
  await importGicv5ToTrace(input, trace, { force: true });
  const out: string[] = [];
  for (const { batch } of TraceReader.openAny(trace).batches())
    for (let i = 0; i < batch.count; i++) {
      const text = textOf(batch, i);
      if (text !== undefined) out.push(text);
    }
  return out;
}

/** What the driver of a design does for operations. */
function driven(design: string, pes: number, operations: readonly Operation[]): string[] {
  const out: string[] = [];
  const translation = new Translation(DESIGNS[design]!, pes, {
    stimulus(batch) {
      const text = textOf(batch, 0);
      if (text !== undefined) out.push(text);
    },
  });
  for (const operation of operations) translation.take(operation);
  translation.finish();
  return out;
}

const online = (pes: number): Operation[] =>
  Array.from({ length: pes }, (_, pe) => ({ op: 'pe.online', pe }));
const isOfSpi = (text: string) => {
  const [name, operand] = text.split(' ');
  return name!.startsWith('GIC_') && gicv5Type(Number.parseInt(operand!, 16)) === GICV5_TYPES.SPI;
};

describe('Linux 7.3 on a GICv5', () => {
  it.each([
    ['linux-gicv5-qemu-11.log.gz', 2, 105],
    ['linux-gicv5-four-pes-head.log.gz', 4, 193],
  ])('%s: the driver sets up the IRS, LPIs and IPIs as the boot does', async (name, pes, accesses) => {
    const boot = (await recorded(name)).filter((text) => !isOfSpi(text) && !text.includes('IRS_SPI'));
    for (const design of ['gicv5-spi', 'gicv5-setlpi', 'gicv5-its']) {
      const own = driven(design, pes, online(pes));
      expect([design, own.length]).toEqual([design, accesses]);
      expect(boot.slice(0, own.length)).toEqual(own);
    }
  });

  it('an SPI is prioritised, configured, routed and enabled as the boot does it', async () => {
    const boot = await recorded('linux-gicv5-qemu-11.log.gz');
    const first = boot.indexOf(`GIC_CDPRI ${(0x6000_0007).toString(16)} f8`);
    const ofBoot = boot.slice(first, first + 7);
    const own = driven('gicv5-spi', 2, [
      ...online(2),
      { op: 'alloc', device: 1, count: 1, msi: 'platform' },
      { op: 'activate', device: 1, vector: 0, pe: 0 },
      { op: 'unmask', device: 1, vector: 0 },
    ]).slice(-7);
    // The SPI is another one, and level-sensitive.
    const plain = (text: string) => {
      const [name, operand, rest] = text.split(' ');
      if (!name!.startsWith('GIC_')) return `${name} ${operand!.split('/')[0]}`;
      expect(gicv5Id(Number.parseInt(operand!, 16))).toBeGreaterThan(0);
      return `${name} ${rest}`;
    };
    expect(own.map(plain)).toEqual(ofBoot.map(plain));
  });
});
