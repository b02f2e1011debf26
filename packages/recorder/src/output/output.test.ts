// Outputs against every way in which they can go wrong: aliases of inputs, what is no regular file, several writers, and
// each call to the file system failing, or being the last one that is made.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GicTraceError } from '@gictrace/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { faultyFiles } from './faulty.test-support.ts';
import { discardOpenOutputs, OutputFile, type Ownership, watchOutputs } from './index.ts';

const OURS: Ownership = { what: 'ours', recognises: (head) => head.toString('latin1').startsWith('OURS') };
let dir = '';
const at = (name: string) => join(dir, name);
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gictrace-output-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function fault(work: () => unknown): GicTraceError {
  try {
    work();
  } catch (error) {
    if (error instanceof GicTraceError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Writes a whole output. */
function write(path: string, text: string, options = {}): void {
  const out = new OutputFile(path, OURS, options);
  try {
    out.write(Buffer.from(text));
    out.commit();
  } catch (error) {
    out.discard();
    throw error;
  }
}

describe('an output is never an input', () => {
  /** Makes `alias` by which the input can also be reached, and answers it. */
  const linked = (make: (target: string, path: string) => void) => (input: string) => {
    make(input, at('alias'));
    return at('alias');
  };
  const aliases: [string, (input: string) => string][] = [
    ['the same name', (input) => input],
    ['another spelling', () => join(dir, 'x', '..', 'input')],
    ['a symbolic link', linked(symlinkSync)],
    ['a hard link', linked(linkSync)],
    ['a folder that is a symbolic link', () => join(linked(symlinkSync)(dir), 'input')],
  ];
  it.each(aliases)('by %s, with --force too', (_name, aliasOf) => {
    mkdirSync(at('x'));
    writeFileSync(at('input'), 'OURS: evidence');
    const output = aliasOf(at('input'));
    for (const force of [false, true]) {
      const refused = fault(() => new OutputFile(output, OURS, { inputs: [at('input')], force }));
      expect([refused.code, refused.line]).toEqual(['usage', expect.stringContaining('input')]);
    }
    expect(readFileSync(at('input'), 'utf8')).toBe('OURS: evidence');
    expect(readdirSync(dir).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('though it has the name of the temporary file, by any alias of it', () => {
    writeFileSync(at('evidence'), 'evidence');
    for (const make of [symlinkSync, linkSync]) {
      make(at('evidence'), at('out.partial'));
      write(at('out'), 'OURS: new', { inputs: [at('out.partial')] });
      expect([readFileSync(at('out.partial'), 'utf8'), readFileSync(at('out'), 'utf8')]).toEqual([
        'evidence',
        'OURS: new',
      ]);
      rmSync(at('out.partial'));
    }
  });
});

describe('an output is a regular file', () => {
  it('never a FIFO, a device or a folder', () => {
    expect(spawnSync('mkfifo', [at('fifo')]).status).toBe(0);
    mkdirSync(at('folder'));
    for (const [path, what] of [
      [at('fifo'), /a FIFO/],
      ['/dev/null', /a device/],
      [at('folder'), /a directory/],
    ] as const) {
      expect(fault(() => new OutputFile(path, OURS, { force: true })).line).toMatch(what);
    }
  });

  it('through a symbolic link, which stays', () => {
    mkdirSync(at('elsewhere'));
    writeFileSync(join(at('elsewhere'), 'file'), 'OURS: old');
    symlinkSync(join(at('elsewhere'), 'file'), at('link'));
    write(at('link'), 'OURS: new');
    expect(readFileSync(join(at('elsewhere'), 'file'), 'utf8')).toBe('OURS: new');
    expect(readFileSync(at('link'), 'utf8')).toBe('OURS: new');
    symlinkSync(at('nowhere'), at('dangling'));
    expect(fault(() => new OutputFile(at('dangling'), OURS)).line).toContain('does not exist');
  });

  it('that gictrace wrote, or --force says that it may go', () => {
    writeFileSync(at('thesis'), 'a year of work');
    expect(fault(() => new OutputFile(at('thesis'), OURS)).line).toContain('exists and is not ours');
    expect(readFileSync(at('thesis'), 'utf8')).toBe('a year of work');
    write(at('thesis'), 'OURS', { force: true });
    write(at('thesis'), 'OURS too');
    expect(readFileSync(at('thesis'), 'utf8')).toBe('OURS too');
  });
});

describe('several writers', () => {
  // What another process does: a module of its own, which knows nothing about the outputs of this one.
  let other: typeof import('./index.ts');
  beforeEach(async () => {
    vi.resetModules();
    other = await import('./index.ts');
  });
  afterEach(() => {
    discardOpenOutputs();
    other.discardOpenOutputs();
  });

  it('of one process have names of their own', () => {
    new OutputFile(at('out'), OURS);
    expect(fault(() => new OutputFile(at('out'), OURS)).line).toContain('another output of this command');
  });

  it('each have a temporary file of their own, and the last one to finish has the name', () => {
    const a = new OutputFile(at('out'), OURS);
    const b = new other.OutputFile(at('out'), OURS);
    expect(a.partial).not.toBe(b.partial);
    a.write(Buffer.from('OURS a'));
    b.write(Buffer.from('OURS b'));
    a.commit();
    expect(readFileSync(at('out'), 'utf8')).toBe('OURS a');
    b.commit();
    expect(readFileSync(at('out'), 'utf8')).toBe('OURS b');
    expect(readdirSync(dir)).toEqual(['out']);
  });

  it('leave each other alone when one gives up', () => {
    const a = new OutputFile(at('out'), OURS);
    const b = new other.OutputFile(at('out'), OURS);
    b.write(Buffer.from('OURS b'));
    a.discard();
    b.commit();
    expect(readFileSync(at('out'), 'utf8')).toBe('OURS b');
  });

  it('all go when the process is about to end', () => {
    new OutputFile(at('a'), OURS).write(Buffer.from('part'));
    new OutputFile(at('b'), OURS).write(Buffer.from('part'));
    expect(discardOpenOutputs()).toEqual([at('a'), at('b')]);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe.each(['ENOSPC', 'EIO', 'killed'] as const)('every call to the file system: %s', (how) => {
  it('the final name holds the old file or the new one, whole', () => {
    const text = 'OURS: new, and long enough to be written in several parts';
    let outcomes = '';
    for (let n = 1; ; n++) {
      writeFileSync(at('out'), 'OURS: old');
      const { seen, restore } = faultyFiles(n, how, true);
      let ended: unknown = 'whole';
      try {
        write(at('out'), text);
      } catch (error) {
        ended = error;
      } finally {
        restore();
      }
      const holds = readFileSync(at('out'), 'utf8');
      expect(['OURS: old', text]).toContain(holds);
      // Whoever says that it is written has written it; a fault that is reported is the system's. (Whatever a process
      // that was killed would still have reported, nobody hears.)
      if (ended === 'whole') expect(holds).toBe(text);
      else if (how !== 'killed') expect(ended).toMatchObject({ code: 'backend' });

      // What fails without being killed leaves nothing beside it, unless removing is what failed.
      const parts = readdirSync(dir).filter((name) => name.includes('partial'));
      if (how !== 'killed') expect(parts).toEqual([]);
      outcomes += holds === text ? 'n' : 'o';
      for (const part of parts) rmSync(at(part));
      if (seen.calls < n) break;
    }
    // Old up to the rename, new from there on; and each call was tried.
    expect(outcomes).toMatch(/^o{6,}n+$/);
  });
});

it.skipIf(process.getuid?.() === 0)('a folder that cannot be written is usage', () => {
  mkdirSync(at('locked'));
  chmodSync(at('locked'), 0o555);
  expect(fault(() => new OutputFile(join(at('locked'), 'out'), OURS)).code).toBe('usage');
  expect(existsSync(join(at('locked'), 'out'))).toBe(false);
});

describe('who watches outputs hears', () => {
  const heard: string[] = [];
  const named = (path: string) => path.slice(dir.length + 1);
  beforeEach(() => {
    heard.length = 0;
    watchOutputs({
      change: (work) => work(),
      opening: (_output, partial) => heard.push(`opening ${named(partial)}`),
      notOpened: (partial) => heard.push(`not opened ${named(partial)}`),
      opened: (_output, partial) => heard.push(`opened ${named(partial)}`),
      closed: (output) => heard.push(`closed ${named(output.partial)}`),
    });
  });
  afterEach(() => watchOutputs(undefined));

  it('of a name that is taken that it was not opened', () => {
    writeFileSync(at('out.partial'), '');
    write(at('out'), 'OURS');
    expect(heard).toEqual([
      ...['opening out.partial', 'not opened out.partial'],
      ...['opening out.2.partial', 'opened out.2.partial', 'closed out.2.partial'],
    ]);
  });

  it('of a file that cannot be made that it was not opened', () => {
    expect(fault(() => new OutputFile(at('no/out'), OURS)).code).toBe('usage');
    expect(heard).toEqual(['opening no/out.partial', 'not opened no/out.partial']);
  });
});
