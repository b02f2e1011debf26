// Every format is recognised by a line of its own: a format without one here does not compile.
import { expect, it } from 'vitest';
import { detectFormat, LOG_FORMATS, type LogFormat } from './detect.ts';

const SAMPLES: { readonly [format in LogFormat]: string } = {
  qemu: 'gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x0 value 0x1b',
  gicv5: '2026-11-29T09:37:52.782707Z gicv5_update_irq_fiq now IRQ 0 FIQ 0 NMI 0',
  ftrace:
    '            bash-178   [000] .....   120.103000: rwmmio_write: __raw_writel+0x10/0x20 width=32 val=0x1 addr=0xffff800080010100',
  jsonl: '{"gictrace":1}',
};
const sourceOf = (text: string) => ({
  name: 'a log',
  path: 'a log',
  open: async function* () {
    yield Buffer.from(text);
  },
  close: () => {},
});

it.each(Object.keys(LOG_FORMATS) as LogFormat[])('%s', async (format) => {
  expect(await detectFormat(sourceOf(`boot\n${SAMPLES[format]}\n`))).toBe(format);
  expect(await detectFormat(sourceOf(SAMPLES[format]))).toBe(format);
});

it('refuses a log that has no line of any format, and lists the formats', async () => {
  await expect(detectFormat(sourceOf('boot\n'))).rejects.toMatchObject({
    code: 'input',
    hint: expect.stringMatching(new RegExp(Object.keys(LOG_FORMATS).join('.*'))),
  });
});
