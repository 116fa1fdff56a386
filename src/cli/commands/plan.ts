import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isBusAddress } from '../../core/bus-choice.ts';
import { TroupeError, messageOf } from '../../core/errors.ts';
import type { Plan, PlanOptions } from '../../planning/plan.ts';
import type { Workflow } from '../../workflow/model.ts';
import { exitCodes } from '../exit-codes.ts';
import { faultLines } from '../failures.ts';
import { dataFolder } from '../options.ts';
import type { DataOptions } from '../options.ts';
import { writeJson, writeLines } from '../output.ts';
import { painter } from '../render/painter.ts';
import { wrapped } from '../render/width.ts';
import type { Shell } from '../shell.ts';
import { openWorkflowFile } from '../workflow-file.ts';

/** What `troupe plan` can be told. */
export interface PlanCommandOptions extends DataOptions {
  readonly json?: boolean;
  /** File that the plan is drawn to. */
  readonly svg?: string;
  /** Schedules that may be tried. */
  readonly budget?: number;
  readonly seed?: number;
  /** A plain rule to follow instead of searching. */
  readonly rule?: PlanOptions['rule'];
  /** NATS server on which worker hosts are looked for. */
  readonly bus?: string;
  readonly ns?: string;
}

/** `troupe plan FILE`: the predicted run, and why it is as it is. */
export async function plan(
  shell: Shell,
  file: string,
  options: PlanCommandOptions,
): Promise<number> {
  const { warnings, workflow } = await openWorkflowFile(shell, file);
  const { planWorkflow } = await import('../../planning/plan.ts');
  const planned = planWorkflow(workflow, await planOptions(shell, workflow, options));
  if (options.svg !== undefined) await draw(shell, options.svg, { workflow, planned });
  if (options.json === true) {
    writeJson(shell, { format: 1, ...planned });
    return exitCodes.ok;
  }
  for (const line of faultLines(warnings, painter(shell.colours.err), 'warning'))
    shell.err(`${line}\n`);
  const { explainPlan } = await import('../../planning/explain.ts');
  const below = [...(await degreeLines(workflow)), ...(await poolLines(shell, workflow, options))];
  const columns = shell.outIsTerminal() ? shell.outColumns() : Number.POSITIVE_INFINITY;
  const text = explainPlan(planned, columns);
  writeLines(
    shell,
    [...text.split('\n'), ...below].flatMap((line) => wrapped(line, columns)),
  );
  return exitCodes.ok;
}

/** How many tasks a run that chooses it itself would run at one time now, if nothing else ran. */
async function degreeLines(workflow: Workflow): Promise<readonly string[]> {
  if (!workflow.resources.autoConcurrency) return [];
  const [{ workloadOf }, { chooseDegree }, { buildGraph }, { processLoad }] = await Promise.all([
    import('../../supervisors/run/workload.ts'),
    import('../../policies/parallelism.ts'),
    import('../../planning/graph.ts'),
    import('../../runtime/process-load.ts'),
  ]);
  const workload = workloadOf(buildGraph(workflow), { inputBytes: 0 });
  const { min = 1, max = Infinity } = workflow.adaptation?.concurrency ?? {};
  const { degree, reasons } = chooseDegree(
    { ...workload, deadlineMs: workflow.deadlineMs },
    { ...processLoad()(), slowness: 1, queueDepth: 0 },
    { min, max },
  );
  return [`at one time: ${degree} (${reasons.join('; ')})`];
}

/** The remote pools of the document, and who serves them now. */
async function poolLines(
  shell: Shell,
  workflow: Workflow,
  { bus, ns }: PlanCommandOptions,
): Promise<readonly string[]> {
  const pools = new Set<string>();
  for (const { pool } of Object.values(workflow.agents)) if (pool?.remote) pools.add(pool.name);
  if (bus === undefined || pools.size === 0) return [];
  if (!isBusAddress(bus))
    throw new TroupeError('TRP_OPTION_INVALID', `--bus ${bus} is no address of a NATS server.`);
  const { hostsAt, poolLine } = await import('../doctor/hosts-check.ts');
  const hosts = await hostsAt({ url: bus, ns, env: shell.env });
  return [...pools].toSorted().map((pool) => poolLine(hosts, pool));
}

/** A run that starts now, with what earlier runs have shown. */
async function planOptions(
  shell: Shell,
  workflow: Workflow,
  options: PlanCommandOptions,
): Promise<PlanOptions> {
  const { HistoryFile } = await import('../../runtime/history.ts');
  const logger = { warn: (text: string) => shell.err(`warning: ${text}\n`) };
  const { budget, seed, rule } = options;
  return {
    history: new HistoryFile(dataFolder(shell, options), logger).of(workflow.name),
    startsAtMs: shell.clock.now(),
    ...(budget === undefined ? {} : { budget }),
    ...(seed === undefined ? {} : { seed }),
    ...(rule === undefined ? {} : { rule }),
  };
}

async function draw(
  shell: Shell,
  file: string,
  { workflow, planned }: { readonly workflow: Workflow; readonly planned: Plan },
): Promise<void> {
  const [{ lanesOf }, { planSvg }] = await Promise.all([
    import('../../planning/lanes.ts'),
    import('../render/plan-svg.ts'),
  ]);
  try {
    await writeFile(resolve(shell.cwd, file), planSvg(planned, lanesOf(workflow, planned)));
  } catch (error) {
    throw new TroupeError('TRP_OPTION_INVALID', `${file} cannot be written: ${messageOf(error)}`, {
      hint: 'Name a file in a folder that exists, with --svg FILE.',
    });
  }
}
