import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { RunStarted } from '../journal/record.ts';
import type { Planner } from '../planning/dispatch-plan.ts';
import { isPlannable } from '../planning/plannable.ts';
import { weightOf } from '../planning/durations.ts';
import type { AgentTimes, DurationHistory } from '../planning/duration-history.ts';
import { splitTaskOf } from '../workflow/model.ts';
import type { Workflow } from '../workflow/model.ts';
import type { RunReport } from './report.ts';

/** What plans a run's dispatch; loaded only for workflows that a plan can be made for. */
export async function plannerFor(
  workflow: Workflow,
  history: HistoryFile,
): Promise<Planner | undefined> {
  if (!isPlannable(workflow, { history: history.of(workflow.name) })) return undefined;
  return (await import('../planning/dispatch-plan.ts')).rollingPlan;
}

/** How long one task of an agent took, in milliseconds per task of medium complexity. */
export interface DurationSample {
  readonly agent: string;
  readonly ms: number;
}

/** Share of a new sample in the mean, once there are enough of them. */
const newShare = 0.2;

/** Workflows that are remembered; the one that was learned about longest ago goes first. */
const maxWorkflows = 200;

/** Agents remembered of one workflow. */
const maxAgents = 500;

const fileName = 'durations.json';

/** What a run has shown of its agents: tasks that succeeded in their first attempt. */
function samplesOf(workflow: Workflow, { tasks }: RunReport): DurationSample[] {
  const weights = new Map(workflow.tasks.map((task) => [task.id, weightOf(task)]));
  return tasks.flatMap(({ id, agent, outcome, attempts, iterations, started_ms, finished_ms }) => {
    const clean = outcome === 'succeeded' && attempts === 1 && iterations <= 1;
    if (!clean || started_ms === null || finished_ms === null) return [];
    return [{ agent, ms: (finished_ms - started_ms) / (weights.get(splitTaskOf(id)) ?? 1) }];
  });
}

/** The times of an agent with one more sample: an exponential mean, and a quantile that moves by small steps. */
export function withSample(known: AgentTimes | undefined, ms: number): AgentTimes {
  if (!known) return { count: 1, meanMs: ms, p90Ms: ms };
  const count = known.count + 1;
  const share = Math.max(1 / count, newShare);
  const meanMs = known.meanMs + (ms - known.meanMs) * share;
  // Robbins and Monro (1951): up by nine parts when a sample is above, down by one part when it is below.
  const step = Math.max(meanMs, Math.abs(ms - known.p90Ms)) * share;
  const p90Ms = Math.max(0, known.p90Ms + step * (ms > known.p90Ms ? 0.9 : -0.1));
  return { count, meanMs, p90Ms };
}

/**
 * Durations of agents by workflow, kept between runs in a small file of the data folder. It only makes plans
 * better: one that cannot be read counts as empty, one that cannot be written is told and forgotten.
 */
export class HistoryFile {
  private readonly folder: string | undefined;
  private readonly logger: Pick<Logger, 'warn'>;
  private known: Map<string, DurationHistory> | undefined;

  /** @param folder the data folder; undefined: nothing is remembered. */
  constructor(folder: string | undefined, logger: Pick<Logger, 'warn'>) {
    this.folder = folder;
    this.logger = logger;
  }

  /** What is known of a workflow's agents; undefined: nothing. */
  of(workflow: string): DurationHistory | undefined {
    if (this.folder === undefined) return undefined;
    this.known ??= this.read(this.folder);
    return this.known.get(workflow);
  }

  /** Adds what a run has shown that is over; one that was simulated shows nothing. */
  learnFrom(
    { workflow, simulated }: Pick<RunStarted, 'workflow' | 'simulated'>,
    run: { report(): RunReport },
  ): void {
    if (this.folder === undefined || simulated) return;
    this.learn(workflow.name, samplesOf(workflow, run.report()));
  }

  /** Adds what was measured. Other processes may have written meanwhile: their samples are kept. */
  learn(workflow: string, samples: readonly DurationSample[]): void {
    const { folder } = this;
    if (folder === undefined || samples.length === 0) return;
    const known = this.read(folder);
    const agents = new Map(Object.entries(known.get(workflow) ?? {}));
    for (const { agent, ms } of samples) {
      const times = withSample(agents.get(agent), ms);
      agents.delete(agent);
      agents.set(agent, times);
    }
    known.delete(workflow);
    known.set(workflow, Object.fromEntries([...agents].slice(-maxAgents)));
    this.known = new Map([...known].slice(-maxWorkflows));
    this.write(folder, this.known);
  }

  private read(folder: string): Map<string, DurationHistory> {
    const file = join(folder, fileName);
    try {
      return parsed(JSON.parse(readFileSync(file, 'utf8')));
    } catch (error) {
      if (!isMissing(error))
        this.logger.warn('what was learned about durations cannot be read', {
          file,
          message: messageOf(error),
        });
      return new Map();
    }
  }

  /** Beside the file and then in its place, so that no reader ever sees half of it. */
  private write(folder: string, known: ReadonlyMap<string, DurationHistory>): void {
    const file = join(folder, fileName);
    const beside = `${file}.new`;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const text = JSON.stringify({ format: 1, workflows: Object.fromEntries(known) });
      writeFileSync(beside, `${text}\n`, { mode: 0o600 });
      renameSync(beside, file);
    } catch (error) {
      this.logger.warn('what was learned about durations cannot be written', {
        file,
        message: messageOf(error),
      });
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Takes in only what has the right form; the file may be anybody's. */
function parsed(content: unknown): Map<string, DurationHistory> {
  const { format, workflows } = (content ?? {}) as { format?: unknown; workflows?: unknown };
  if (format !== 1) throw new Error('it is not of format 1');
  return new Map(
    entriesOf(workflows).map(([name, agents]) => [
      name,
      Object.fromEntries(
        entriesOf(agents).flatMap(([agent, times]) => (isTimes(times) ? [[agent, times]] : [])),
      ),
    ]),
  );
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function isTimes(value: unknown): value is AgentTimes {
  if (typeof value !== 'object' || value === null) return false;
  const { count, meanMs, p90Ms } = value as Record<string, unknown>;
  return [count, meanMs, p90Ms].every((part) => typeof part === 'number' && part >= 0);
}
