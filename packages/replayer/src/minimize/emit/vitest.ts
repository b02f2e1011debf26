// A repro as a vitest case. A divergence is a test that fails as long as the other implementation differs; a property is a
// test that passes as long as it holds.
import { GicTraceError } from '@gictrace/core';
import { jsonlOf } from './jsonl.ts';
import { commentOf, linesOf, type Repro } from './repro.ts';

export function vitestOf(repro: Repro): string {
  const { minimized, check } = repro;
  const { imports, body, name } = BODIES[check.what](repro);
  const comment = [...commentOf(repro), '', ...linesOf(minimized.recording)];
  return `// gictrace minimize: a repro.
${comment.map((line) => `// ${line}`.trimEnd()).join('\n')}
${[
  "import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';",
  "import { tmpdir } from 'node:os';",
  "import { join } from 'node:path';",
  "import { importJsonlToTrace } from '@gictrace/recorder';",
  "import { expect, it } from 'vitest';",
  ...imports,
].join('\n')}

const RECORDS = String.raw\`
${jsonlOf(repro).trim().replaceAll('`', "'")}
\`;

it(${JSON.stringify(name)}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'repro-'));
  try {
    const trace = join(folder, 'repro.gictrace');
    writeFileSync(join(folder, 'repro.jsonl'), RECORDS.trim());
    await importJsonlToTrace(join(folder, 'repro.jsonl'), trace, {});
${body.map((line) => `    ${line}`).join('\n')}
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
`;
}

interface Body {
  readonly name: string;
  readonly imports: readonly string[];
  readonly body: readonly string[];
}
type Of<What extends Repro['check']['what']> = Extract<Repro['check'], { what: What }>;
const quoted = (text: string) => JSON.stringify(text);

const BODIES: Readonly<Record<Repro['check']['what'], (repro: Repro) => Body>> = {
  divergence: ({ check, minimized }) => {
    const { on, profile, plant } = check as Of<'divergence'>;
    if (plant !== undefined && minimized.config.architecture === 5)
      throw new GicTraceError(
        'usage',
        'a test cannot plant a fault into the simulator of a GICv5',
        {},
        'give --emit jsonl',
      );
    const name = `${on} does as the reference does`;
    const same = 'expect(verdict.first).toBeNull();';
    if (on.startsWith('exec:') || on === 'qemu' || on.startsWith('qemu:')) {
      const isQemu = !on.startsWith('exec:');
      const command = on.slice(on.indexOf(':') + 1);
      const backend = isQemu
        ? `new QemuBackend({ ${on === 'qemu' ? '' : `command: ${quoted(command)}, `}foresight: foreseeTrace(trace) })`
        : `new ProcessBackend({ command: ${quoted(command)} })`;
      return {
        name,
        imports: [
          `import { ${isQemu ? 'foreseeTrace, QemuBackend' : 'ProcessBackend'}, replayTraceOn } from '@gictrace/replayer';`,
        ],
        body: [
          `const backend = ${backend};`,
          'try {',
          '  const verdict = await replayTraceOn(trace, backend);',
          `  ${same}`,
          '} finally {',
          '  await backend.close();',
          '}',
        ],
      };
    }
    const options = [
      ...(profile === undefined ? [] : [`profile: ${quoted(profile)}`]),
      ...(plant === undefined ? [] : [`machine: (machine) => plantMutation(machine, ${quoted(plant)})`]),
    ];
    return {
      name,
      imports: [
        ...(plant === undefined ? [] : ["import { plantMutation } from '@gictrace/core/testing';"]),
        "import { replayTrace } from '@gictrace/replayer';",
      ],
      body: [`const verdict = replayTrace(trace, { ${options.join(', ')} });`, same],
    };
  },
  finding: ({ check }) => {
    const { rule } = check as Of<'finding'>;
    return {
      name: `has a finding of ${rule}`,
      imports: [
        "import { Checker } from '@gictrace/core/check';",
        "import { TraceReader } from '@gictrace/recorder';",
      ],
      body: [
        'const reader = TraceReader.openAny(trace);',
        'const checker = new Checker(reader.header.config);',
        'for (const { batch } of reader.batches()) checker.take(batch);',
        'reader.close();',
        `expect(checker.finish().map((finding) => finding.rule)).toContain(${quoted(rule)});`,
      ],
    };
  },
  sql: ({ check }) => {
    const { sql } = check as Of<'sql'>;
    return {
      name: 'the query returns a row',
      imports: ["import { loadTraceFiles, QueryDatabase } from '@gictrace/query';"],
      body: [
        "await loadTraceFiles(join(folder, 'repro.db'), [trace]);",
        "const db = new QueryDatabase(join(folder, 'repro.db'));",
        'try {',
        `  expect([...db.ask(${quoted(sql)}).rows].length).toBeGreaterThan(0);`,
        '} finally {',
        '  db.close();',
        '}',
      ],
    };
  },
  command: ({ check }) => {
    const { command, code } = check as Of<'command'>;
    return {
      name: `the command exits with ${code}`,
      imports: ["import { spawnSync } from 'node:child_process';"],
      body: [
        `const { status } = spawnSync('sh', ['-c', ${quoted(command)}.replaceAll('{}', trace)]);`,
        `expect(status).toBe(${code});`,
      ],
    };
  },
};
