import type { RunReport } from '../../runtime/report.ts';
import { counted, elapsed } from './shapes.ts';
import { oneLine } from './width.ts';

/** A line for each provider that refused calls or had them wait; nothing where all went out at once. */
export function providerFacts(providers: RunReport['providers']): readonly string[] {
  return Object.entries(providers)
    .filter(([, { refused, wait_ms: waitMs }]) => refused > 0 || waitMs > 0)
    .map(([name, { calls, refused, wait_ms: waitMs }]) => {
      const parts = [
        counted(calls, 'call'),
        ...(refused > 0 ? [`${refused} refused`] : []),
        ...(waitMs > 0 ? [`calls waited ${elapsed(waitMs)}`] : []),
      ];
      return `provider ${oneLine(name)}: ${parts.join(', ')}`;
    });
}
