import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

// The tests of the libraries run from source (the export condition `gictrace-source`); those of the command and across
// packages run on what `tsc -b` made of it, which is faster by half and is what users get. Both are built here first.
const libraries = {
  resolve: { conditions: ['gictrace-source'] },
  ssr: { resolve: { conditions: ['gictrace-source'] } },
};
/** These replace modules of the sources, or of Node below them, so that they have to run from the sources. */
const OF_SOURCES = ['test/planted.test.ts', 'packages/cli/src/faults.test.ts'];

export default defineConfig({
  resolve: {
    alias: [
      {
        find: /^fast-check$/,
        replacement: fileURLToPath(new URL('scripts/seeded-fast-check.mjs', import.meta.url)),
      },
    ],
  },
  test: {
    projects: [
      // These change nothing that outlives a test, so that a worker loads the sources once and not for each file.
      {
        extends: true,
        ...libraries,
        test: {
          name: 'libraries',
          include: ['packages/{core,recorder,replayer,query}/src/**/*.test.ts'],
          isolate: false,
        },
      },
      { extends: true, ...libraries, test: { name: 'sources', include: OF_SOURCES } },
      {
        extends: true,
        test: {
          name: 'command',
          include: ['packages/cli/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...OF_SOURCES],
          server: { deps: { external: [/packages\/[a-z]+\/dist\//] } },
        },
      },
    ],
    pool: 'forks',
    // Two at least: much of the time a test waits for QEMU, a browser or a child process.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    // Hooks import whole recordings: on a machine that is busy otherwise that takes longer than the default of 10 s.
    hookTimeout: 120_000,
    globalSetup: ['scripts/built.mjs'],
    passWithNoTests: false,
  },
});
