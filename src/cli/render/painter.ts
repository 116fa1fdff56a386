import pico from 'picocolors';
import type { RunReport, TaskReport, GroupReport } from '../../runtime/report.ts';

/** Colours by meaning; every one is the identity when colours are off. */
export interface Painter {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly accent: (text: string) => string;
}

/** The colours of a stream. */
export function painter(enabled: boolean): Painter {
  const { green, red, yellow, bold, dim, cyan } = pico.createColors(enabled);
  return { good: green, bad: red, warn: yellow, strong: bold, faint: dim, accent: cyan };
}

/** Everything that a task, a group or a run can be in the middle or at the end of. */
export type Standing =
  | RunReport['status']
  | TaskReport['outcome']
  | GroupReport['outcome']
  | 'interrupted';

/** A text in the colour of how something stands. */
export function byStanding(paint: Painter, standing: Standing): (text: string) => string {
  if (standing === 'succeeded') return paint.good;
  if (standing === 'failed' || standing === 'timed_out') return paint.bad;
  if (standing === 'skipped' || standing === 'waiting') return paint.faint;
  if (standing === 'running') return paint.accent;
  return paint.warn;
}
