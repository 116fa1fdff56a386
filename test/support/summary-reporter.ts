import type { Reporter, TestModule, Vitest } from 'vitest/node';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Ends the output of a run with one line for programs: `N passed, N failed, N skipped`. A file that
 * cannot be loaded, a hook that throws and an error outside any test count as failures, and a process
 * that exits with another code than 0 never says `0 failed`. The line is written when the process
 * exits, after everything else; while watching, after each run. Tests that passed only on a second try are named
 * before it: each of them is a fault of the test or of what it tests.
 */
export default class SummaryReporter implements Reporter {
  private counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  private watching = false;
  private unsteady: readonly string[] = [];

  onInit(vitest: Vitest): void {
    this.watching = vitest.config.watch;
    if (!this.watching) process.once('exit', (exitCode) => this.print(exitCode));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    this.counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) countModule(module, this.counts);
    this.unsteady = modules.flatMap((module) => unsteadyTests(module));
    if (this.watching) this.print(0);
  }

  private print(exitCode: number): void {
    const { passed, failed, skipped } = this.counts;
    for (const name of this.unsteady)
      process.stdout.write(`passed only on a second try: ${name}\n`);
    const faults = exitCode === 0 ? failed : Math.max(1, failed);
    process.stdout.write(`${passed} passed, ${faults} failed, ${skipped} skipped\n`);
  }
}

function countModule(module: TestModule, counts: Counts): void {
  counts.failed += module.errors().length;
  for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    // A test that never came to run (its file was stopped) is not a passed one.
    if (state === 'pending') counts.failed++;
    else counts[state]++;
  }
}

function unsteadyTests(module: TestModule): string[] {
  return [...module.children.allTests()]
    .filter((test) => test.diagnostic()?.flaky)
    .map((test) => `${module.relativeModuleId} > ${test.fullName}`);
}
