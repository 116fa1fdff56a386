import type { Reporter, TestModule, Vitest } from 'vitest/node';

/**
 * Ends the output of a run with one line for programs: `N passed, N failed, N skipped`. A file that
 * cannot be loaded and an error outside any test count as failures, and so does a run that never
 * reached its tests. The line is written when the process exits, after everything else.
 */
export default class SummaryReporter implements Reporter {
  private line = summaryLine({ passed: 0, failed: 1, skipped: 0 });
  private watching = false;

  onInit(vitest: Vitest): void {
    this.watching = vitest.config.watch;
    if (!this.watching) process.once('exit', () => this.print());
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) countModule(module, counts);
    this.line = summaryLine(counts);
    if (this.watching) this.print();
  }

  private print(): void {
    process.stdout.write(`${this.line}\n`);
  }
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

function summaryLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
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
