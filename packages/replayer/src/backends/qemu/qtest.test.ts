// The qtest client against a server of ours: replies in any pieces, refusals, silence, end.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Qtest } from './qtest.ts';

const folder = mkdtempSync(join(tmpdir(), 'gictrace-qtest-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** A client, and the socket at which its commands come out. */
async function pair(timeoutMs = 5000): Promise<{ qtest: Qtest; peer: Socket; close(): void }> {
  const path = join(folder, `${count++}`);
  const server = createServer();
  const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const { connect } = await import('node:net');
  const peer = connect(path);
  const qtest = new Qtest(await connected, timeoutMs);
  const close = () => {
    peer.destroy();
    server.close();
  };
  return { qtest, peer, close };
}

const backendFault = (message: RegExp) => (error: unknown) =>
  error instanceof GicTraceError && error.code === 'backend' && message.test(error.message);

describe('qtest', () => {
  it('matches values with reads, however the replies are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: null }), {
          minLength: 1,
          maxLength: 60,
        }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        async (replies, cuts) => {
          const { qtest, peer, close } = await pair();
          const text = replies
            .map((value) => (value === null ? 'OK\n' : `OK 0x${value.toString(16).padStart(16, '0')}\n`))
            .join('');
          const done = qtest.do('x\n'.repeat(replies.length), replies.length);
          for (let at = 0, n = 0; at < text.length; n++) {
            const to = Math.min(text.length, at + cuts[n % cuts.length]!);
            peer.write(text.slice(at, to));
            at = to;
            if (n % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
          }
          await done;
          for (const value of replies) {
            if (value === null) continue;
            const low = qtest.values.take();
            expect((BigInt(qtest.values.takenHigh) << 32n) | BigInt(low)).toBe(value);
          }
          expect(() => qtest.values.take()).toThrow(GicTraceError);
          close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is not confused by interrupts that QEMU tells of', async () => {
    const { qtest, peer, close } = await pair();
    const value = qtest.read('readl 0x0');
    peer.write('IRQ raise 5\nOK 0x0000000000000007\n');
    expect(await value).toBe(7n);
    close();
  });

  it('waits as long as replies come', async () => {
    const { qtest, peer, close } = await pair(600);
    const done = qtest.do('x\n'.repeat(5), 5);
    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      peer.write('OK\n');
    }
    await done;
    close();
  });

  it('fails on a refusal, on silence and on the end, then and later', async () => {
    const refused = await pair();
    const first = refused.qtest.do('nonsense\n', 1);
    refused.peer.write('FAIL Unknown command\n');
    await expect(first).rejects.toSatisfy(backendFault(/refused.*Unknown command/));
    await expect(refused.qtest.do('clock\n', 1)).rejects.toSatisfy(backendFault(/refused/));
    refused.close();

    const silent = await pair(60);
    await expect(silent.qtest.do('readl 0x0\n', 1)).rejects.toSatisfy(
      backendFault(/has not answered for 0.06 s/),
    );
    silent.close();

    const gone = await pair();
    const waiting = gone.qtest.do('readl 0x0\n', 1);
    gone.peer.destroy();
    await expect(waiting).rejects.toSatisfy(backendFault(/connection to QEMU broke/));
    gone.close();
  });
});
