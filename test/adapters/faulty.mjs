// An adapter that goes wrong: faulty.mjs HOW N. The simulator's adapter, until its N-th message.
import { Writable } from 'node:stream';
import { NOT_A_REGISTER, Simulator } from '../../packages/core/dist/backend/index.js';
import { serveAdapter } from '../../packages/replayer/dist/index.js';

const [how, at, seed] = process.argv.slice(2);
let left = Number(at);
let random = Number(seed ?? 1);
const next = (below) => {
  random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fff_ffff;
  return (random >> 8) % below;
};

const FAULTS = {
  exit: () => process.exit(0),
  code: () => process.exit(7),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  // Alive, and deaf: what follows is never called.
  hang: () => setInterval(() => undefined, 1000),
  garbage: (_bytes, done) => process.stdout.write('assertion failed: gic.c:123\n', done),
  cut: (bytes) => process.stdout.write(bytes.subarray(0, bytes.length >> 1), () => process.exit(0)),
  twice: (bytes, done) => process.stdout.write(Buffer.concat([bytes, bytes]), done),
  lost: (_bytes, done) => done(),
  // One byte of the message changed.
  bent: (bytes, done) => {
    bytes[4 + next(bytes.length - 4)] ^= 1 << next(8);
    process.stdout.write(bytes, done);
  },
  'gives-up': (_bytes, done) => {
    const text = 'out of memory';
    const message = Buffer.from([0x92, 6, 0xa0 | text.length, ...Buffer.from(text)]);
    process.stdout.write(Buffer.concat([Buffer.from([message.length, 0, 0, 0]), message]), done);
  },
};

const simulator = new Simulator('1');
const output = new Writable({
  write(bytes, _encoding, done) {
    if (left-- === 0) FAULTS[how](Buffer.from(bytes), done);
    else process.stdout.write(bytes, done);
  },
});
process.exitCode = await serveAdapter(simulator, process.stdin, output, {
  capabilities: simulator.capabilities,
  reasons: [NOT_A_REGISTER],
});
