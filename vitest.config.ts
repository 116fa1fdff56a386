import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Real servers and processes on a busy machine: a second try there is told by name at the end of the output.
    retry: process.env['CI'] === undefined ? 0 : 1,
    // XState's development build, which Vitest loads, takes the making of a child inside an action for a
    // misuse of assign(); plain Node loads the production build, which does not say so.
    onConsoleLog: (log) => !log.includes('Custom actions should not call `assign()`'),
  },
});
