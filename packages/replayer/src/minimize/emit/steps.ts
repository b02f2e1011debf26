// The steps of a program that shows a repro on QEMU's virt machine: accesses by address, and what its reads return. The
// qtest and the C form are two ways to write them down.
import { GicTraceError } from '@gictrace/core';
import { recordText } from '@gictrace/core/disasm';
import { isStimulus, KIND, RECORD_WORDS, RecordBatch, responseAt } from '@gictrace/core/record';
import { FRAMES, GICD, mask, sysregName } from '@gictrace/core/spec';
import {
  type Machine,
  machineFor,
  place,
  placePointer,
  registerAddress,
} from '../../backends/qemu/machine.ts';
import type { Minimized } from '../minimize.ts';
import type { Readable } from '../readable.ts';

const SECURITY_EXTN = mask(GICD.GICD_TYPER, 'SecurityExtn');

/** What the reads of a step return on the reference and, if it is there that they differ, on the other implementation. */
export interface Expected {
  readonly reference: bigint;
  readonly other: bigint | undefined;
}

export type Step = {
  /** The stimulus as text. */
  readonly text: string;
  /** The PE that does it; 0 for what no PE does. */
  readonly pe: number;
} & (
  | { readonly does: 'store'; readonly address: number; readonly width: number; readonly value: bigint }
  | { readonly does: 'load'; readonly address: number; readonly width: number; readonly expected: Expected }
  | { readonly does: 'fill'; readonly address: number; readonly length: number; readonly byte: number }
  | { readonly does: 'write'; readonly register: number; readonly value: bigint }
  | { readonly does: 'read'; readonly register: number; readonly expected: Expected }
  | { readonly does: 'line'; readonly intid: number; readonly isPrivate: boolean; readonly level: boolean }
  | { readonly does: 'message'; readonly device: number; readonly event: number }
);

export interface Program {
  readonly machine: Machine;
  readonly steps: readonly Step[];
}

/** The program of a repro. @throws GicTraceError `usage` if QEMU's machine cannot do what it contains. */
export function programOf({ config, setting }: Minimized, { recording, differs }: Readable): Program {
  const refuse = (what: string): never => {
    throw new GicTraceError(
      'usage',
      `QEMU's virt machine cannot be made to show this: ${what}`,
      {},
      'give another --emit',
    );
  };
  if ((config.gicd.typer & SECURITY_EXTN) !== 0) refuse('it has two Security states');
  const devices: number[] = [];
  const one = new RecordBatch(1);
  const each = function* () {
    let stimulus = 0;
    for (const batch of recording)
      for (let i = 0; i < batch.count; i++)
        if (isStimulus(batch.kind[i]!)) yield [batch, i, stimulus++] as const;
  };
  for (const [batch, i] of each())
    if (batch.kind[i] === KIND['msi.write']) devices.push(batch.words[i * RECORD_WORDS + 1]!);
  const machine = machineFor(config, devices);
  const steps: Step[] = [];
  const before: Step[] = [];
  for (const [batch, i, stimulus] of each()) {
    one.clear();
    one.copy(batch, i);
    one.line[0] = 0;
    const { words: w } = one;
    const base = { text: recordText(one, 0).replace(/^\S+ /, ''), pe: Math.max(0, one.pe[0]!) };
    const valueAt = (at: number) => (BigInt(w[at + 1]!) << 32n) | BigInt(w[at]!);
    const at = responseAt(one.kind[0]!);
    const expected: Expected = {
      reference: at < 0 ? 0n : valueAt(at),
      other: differs?.stimulus === stimulus ? differs.value : undefined,
    };
    const placed = (address: number, bytes: number) => {
      const there = place(machine, address, bytes);
      return there < 0 ? refuse(`it has no memory at 0x${address.toString(16)}`) : there;
    };
    switch (one.kind[0]) {
      case KIND['mmio.read']:
      case KIND['mmio.write']: {
        const address = registerAddress(machine, w[0]!, w[1]!, w[2]!);
        if (address < 0) refuse(`it has no ${FRAMES[w[0]!]}[${w[1]}]`);
        const width = w[3]!;
        if (one.kind[0] === KIND['mmio.read'])
          steps.push({ ...base, does: 'load', address, width, expected });
        else steps.push({ ...base, does: 'store', address, width, value: valueAt(4) });
        break;
      }
      case KIND['sysreg.read']:
        if (sysregName(w[0]!) === undefined) refuse('it accesses a system register without a name');
        steps.push({ ...base, does: 'read', register: w[0]!, expected });
        break;
      case KIND['sysreg.write']:
        if (sysregName(w[0]!) === undefined) refuse('it accesses a system register without a name');
        steps.push({ ...base, does: 'write', register: w[0]!, value: valueAt(1) });
        break;
      case KIND['mem.write']: {
        const value = w[2] === 8 ? placePointer(valueAt(3)) : valueAt(3);
        steps.push({
          ...base,
          does: 'store',
          address: placed(w[1]! * 2 ** 32 + w[0]!, w[2]!),
          width: w[2]!,
          value,
        });
        break;
      }
      case KIND['queue.write']: {
        const address = placed(w[2]! * 2 ** 32 + w[1]!, 32);
        for (let k = 0; k < 4; k++)
          steps.push({
            ...base,
            text: k === 0 ? base.text : '',
            does: 'store',
            address: address + 8 * k,
            width: 8,
            value: valueAt(3 + 2 * k),
          });
        break;
      }
      case KIND['mem.known']: {
        // The memory of a machine that has just been started is zero.
        if (steps.length === 0 && w[3] === 0) break;
        // What becomes known has been so before, unless memory was known to be something else.
        (setting.isRamZero ? steps : before).push({
          ...base,
          does: 'fill',
          address: placed(w[1]! * 2 ** 32 + w[0]!, w[2]!),
          length: w[2]!,
          byte: w[3]! & 0xff,
        });
        break;
      }
      case KIND['mem.unknown']:
        break;
      case KIND['msi.write']: {
        const reason = machine.msis.possible(w[1]!, w[2]!, w[3]!);
        if (reason !== undefined) refuse(reason);
        steps.push({ ...base, does: 'message', device: w[1]!, event: w[2]! });
        break;
      }
      case KIND['wire.set']:
        // The machine connects this line by itself, and makes the same change.
        if (base.text.includes('INTID 25 ')) break;
        steps.push({ ...base, does: 'line', intid: w[0]!, isPrivate: one.pe[0]! >= 0, level: w[1] !== 0 });
        break;
      default:
        refuse(`it contains ${base.text.split(' ').slice(0, 2).join(' ')}`);
    }
  }
  return { machine, steps: [...before, ...steps] };
}
