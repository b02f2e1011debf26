import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Tests run from source: the `gictrace-source` export condition needs no build.
export default defineConfig({
  resolve: {
    conditions: ['gictrace-source'],
    alias: [
      {
        find: /^fast-check$/,
        replacement: fileURLToPath(new URL('scripts/seeded-fast-check.mjs', import.meta.url)),
      },
    ],
  },
  ssr: { resolve: { conditions: ['gictrace-source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    // Two at least: much of the time a test waits for QEMU, a browser or a child process.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    // Hooks import whole recordings: on a machine that is busy otherwise that takes longer than the default of 10 s.
    hookTimeout: 120_000,
    // Tests that run the command run the bundle: it is made of the sources as they are now.
    globalSetup: ['scripts/bundle.mjs'],
    passWithNoTests: false,
  },
});
