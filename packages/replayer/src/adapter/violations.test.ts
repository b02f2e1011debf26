// What an adapter may not say: each violation of the protocol is a failure that names it. And what it may say in other
// ways than gictrace does.
import { fileURLToPath } from 'node:url';
import { GicTraceError } from '@gictrace/core';
import type { Answers } from '@gictrace/core/backend';
import { NO_PE, RECORD_WORDS, RECORDS, RecordBatch } from '@gictrace/core/record';
import { describe, expect, it } from 'vitest';
import { plainConfig } from '../synthetic.test-support.ts';
import { ProcessBackend } from './process-backend.ts';
import { frameOf } from './session.ts';
import type { WireValue } from './wire.ts';

const SCRIPTED = fileURLToPath(new URL('../../../../test/adapters/scripted.mjs', import.meta.url));
const HELLO = {
  protocol: 1,
  name: 'rote',
  version: '1',
  stimuli: ['wire.set', 'sysreg.read'],
  observables: ['hppi'],
  events: ['irq.pended'],
  reserved: true,
  reasons: ['no'],
};

/** Two stimuli, asked of an adapter that answers as given after hello and reset. */
async function told(replies: readonly (WireValue | Buffer)[], hello: WireValue = HELLO): Promise<string[]> {
  const frames = [[0, hello], [1], ...replies].map((reply) =>
    (Buffer.isBuffer(reply) ? reply : frameOf(reply as WireValue)).toString('hex'),
  );
  const backend = new ProcessBackend({
    command: `${process.execPath} '${SCRIPTED}' ${frames.join(' ')}`,
    version: 'test',
    timeoutMs: 5000,
  });
  const lines: string[] = [];
  const answers: Answers = {
    answered: (low, high, reserved) => lines.push(`done ${low} ${high} ${reserved}`),
    skipped: (reason) => lines.push(`skipped ${reason}`),
    shown: (batch, i) =>
      lines.push(
        `${batch.kind[i]} ${batch.pe[i]} ${batch.flags[i]} ${[...batch.words.subarray(i * RECORD_WORDS, i * RECORD_WORDS + 5)]}`,
      ),
  };
  const stimuli = new RecordBatch(2);
  stimuli.words.set([40, 1], stimuli.push(RECORDS['wire.set'].id, NO_PE, Number.NaN) * RECORD_WORDS);
  stimuli.words.set([0xc660], stimuli.push(RECORDS['sysreg.read'].id, 0, Number.NaN) * RECORD_WORDS);
  try {
    await backend.reset(plainConfig(2));
    await backend.run(stimuli, answers);
    return lines;
  } finally {
    await backend.close();
  }
}

async function fault(replies: readonly (WireValue | Buffer)[], hello?: WireValue): Promise<string> {
  try {
    await told(replies, hello);
  } catch (error) {
    expect(error).toBeInstanceOf(GicTraceError);
    expect((error as GicTraceError).code).toBe('backend');
    return (error as GicTraceError).line;
  }
  return 'nothing';
}

const GOOD = [
  [0, 0, 0],
  [64, 2, 0, 40, 2, 160, 0, 1],
  [0, 40, 0],
];

describe('an adapter may', () => {
  const wanted = ['done 0 0 false', '64 1 0 40,2,160,0,1', 'done 40 0 false'];
  it('answer in one message', async () => expect(await told([[2, 0, 1, GOOD]])).toEqual(wanted));
  it('cut its answers between any two items, and end with an empty message', async () => {
    const pieces = [...GOOD.map((item) => [2, 0, 0, [item]]), [2, 0, 1, []]].map((one) => frameOf(one));
    expect(await told([Buffer.concat(pieces)])).toEqual(wanted);
  });
  it('write integers longer than need be', async () => {
    // [2, 0, 1, [[0, 0, 0], [0, 40, 0]]] with two, four and eight bytes where none are needed.
    const body = Buffer.from('9402cc0001dc00029300000093cd0000ce00000028cf0000000000000000', 'hex');
    const head = Buffer.alloc(4);
    head.writeUInt32LE(body.length, 0);
    expect(await told([Buffer.concat([head, body])])).toEqual(['done 0 0 false', 'done 40 0 false']);
  });
  it('skip, tell reserved locations, events, and lines that it does not know', async () => {
    const items = [
      [2, 0],
      [1, 0, 0],
      [100, 0, 0, 40, 1],
      [64, 1, 2, 1023, 0, 255, 0, 0],
    ];
    expect(await told([[2, 0, 1, items]])).toEqual([
      'skipped no',
      'done 0 0 true',
      '100 -1 0 40,1,0,0,0',
      '64 0 2 1023,0,255,0,0',
    ]);
  });
  it('leave out of its hello what it has not', async () => {
    const { protocol, name, version, stimuli } = HELLO;
    const bare = { protocol, name, version, stimuli };
    expect(
      await told(
        [
          [
            2,
            0,
            1,
            [
              [0, 0, 0],
              [0, 40, 0],
            ],
          ],
        ],
        bare,
      ),
    ).toHaveLength(2);
  });
});

it.each([
  ['another batch', [[2, 1, 1, GOOD]], /answers to batch 1 where those to 0/],
  ['an end too early', [[2, 0, 1, GOOD.slice(0, 2)]], /end of a batch of which 1 stimuli have no response/],
  ['a response too many', [[2, 0, 1, [...GOOD, [0, 0, 0]]]], /more responses than there are stimuli/],
  [
    'a response of two values',
    [[2, 0, 1, [[0, 0], ...GOOD.slice(1)]]],
    /a response that is not three values/,
  ],
  [
    'a reason that is not named',
    [[2, 0, 1, [[2, 1], ...GOOD.slice(1)]]],
    /a reason that its hello does not name/,
  ],
  ['a skip with more in it', [[2, 0, 1, [[2, 0, 0], ...GOOD.slice(1)]]], /not two values/],
  [
    'a kind that is not named',
    [
      [
        2,
        0,
        1,
        [
          [0, 0, 0],
          [78, 1, 0, 3],
        ],
      ],
    ],
    /a record of kind 78, which its hello does not/,
  ],
  [
    'a kind that there is not',
    [
      [
        2,
        0,
        1,
        [
          [0, 0, 0],
          [320, 1, 0, 3],
        ],
      ],
    ],
    /kind 320/,
  ],
  [
    'a stimulus',
    [
      [
        2,
        0,
        1,
        [
          [0, 0, 0],
          [10, 1, 0, 3, 1],
        ],
      ],
    ],
    /kind 10/,
  ],
  [
    'words too few',
    [
      [
        2,
        0,
        1,
        [
          [0, 0, 0],
          [64, 1, 0, 40, 2, 160, 0],
        ],
      ],
    ],
    /kind 64 with 4 words, which has 5/,
  ],
  [
    'a PE too many',
    [
      [
        2,
        0,
        1,
        [
          [0, 0, 0],
          [64, 3, 0, 40, 2, 160, 0, 1],
        ],
      ],
    ],
    /a record of PE 2, where there are 2/,
  ],
  [
    'a group that there is not',
    [
      [
        2,
        0,
        1,
        [
          [0, 0, 0],
          [64, 1, 0, 40, 3, 160, 0, 1],
        ],
      ],
    ],
    /word 1 is 3/,
  ],
  [
    'a flag that has no meaning',
    [
      [
        2,
        0,
        1,
        [
          [0, 0, 0],
          [64, 1, 1, 40, 2, 160, 0, 1],
        ],
      ],
    ],
    /with the flags 0x1/,
  ],
  ['text for a number', [[2, 0, 1, [['0', 0, 0]]]], /byte 0xa1 where an unsigned integer/],
  ['64 bits for 32', [[2, 0, 1, [[0, 2 ** 33, 0]]]], /more than 32 bits/],
  ['five values', [[2, 0, 1, GOOD, 0]], /answers that are not four values/],
  ['another message', [[3, 0]], /message 3 where the answer to batch/],
  ['a map', [{ a: 1 }], /where an array should be/],
] as [string, (WireValue | Buffer)[], RegExp][])(
  'an adapter may not answer with %s',
  async (_name, replies, says) => {
    expect(await fault(replies)).toMatch(says);
  },
);

it('an adapter may not put bytes behind the values of a message', async () => {
  const good = frameOf([2, 0, 1, GOOD]);
  const more = Buffer.concat([good, Buffer.from([0])]);
  more.writeUInt32LE(more.length - 4, 0);
  expect(await fault([more])).toMatch(/more bytes than the message has values/);
});
