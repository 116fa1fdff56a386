import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // XState's development build, which Vitest loads, takes the making of a child inside an action for a
    // misuse of assign(); plain Node loads the production build, which does not say so.
    onConsoleLog: (log) => !log.includes('Custom actions should not call `assign()`'),
  },
});
