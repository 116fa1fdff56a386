import type { DocumentPath, FaultList } from './fault.ts';

/** A command line split at spaces; quotes keep words together. No shell ever sees it. */
export function wordsOf(command: string | readonly string[] | undefined): readonly string[] {
  if (typeof command !== 'string') return command ?? [];
  const words = command.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? [];
  return words.map((word) => (/^["']/.test(word) ? word.slice(1, -1) : word));
}

/** A fault for a quote that nobody closes, and a warning for what only a shell would understand. */
export function checkCommandLine(
  command: string | readonly string[] | undefined,
  path: DocumentPath,
  faults: FaultList,
): void {
  if (typeof command !== 'string') return;
  const bare = command.replaceAll(/"[^"]*"|'[^']*'/g, ' ');
  const [quote] = /["']/.exec(bare) ?? [];
  if (quote !== undefined) {
    const hint = 'Close it, or write a list: [program, argument].';
    faults.add('TRP_WORKFLOW_INVALID', `command: a quote (${quote}) is not closed`, { path, hint });
  }
  const [operator] = /\||>|&&|;/.exec(bare) ?? [];
  if (operator === undefined) return;
  faults.warn('TRP_WORKFLOW_INVALID', `command: "${operator}" is an argument like any other`, {
    path,
    hint: 'no shell runs this; use [sh, -c, "..."]',
  });
}
