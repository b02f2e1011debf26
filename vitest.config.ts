import { defineConfig } from 'vitest/config';

// Tests run from source: the `gictrace-source` export condition needs no build.
export default defineConfig({
  resolve: { conditions: ['gictrace-source'] },
  ssr: { resolve: { conditions: ['gictrace-source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    passWithNoTests: false,
  },
});
