import type { Sample } from '../../actors/monitor.ts';
import type { PlainObject } from '../../core/plain.ts';
import { durationOf, hasKnownDuration } from '../../planning/durations.ts';
import { adapt, freshMemo } from '../../policies/adaptation.ts';
import type { Adaptation, GroupLoad, Measured } from '../../policies/adaptation.ts';
import type { RunCore } from './core.ts';
import { claimOf, concurrencyBounds, concurrencyOf, scopeLimits } from './limits.ts';
import { boundingTask, changedPaces, rankAnew } from './reorder.ts';
import { Responses } from './responses.ts';
import { stretchTimeouts } from './stretch.ts';

/** From a look at the process to a changed limit: decide, append, apply, tell the governor. */

/** Has the process looked at, where the document asks for it; what was adapted before is in force again. */
export function beginAdaptation(core: RunCore): void {
  const { adaptation } = core.book.workflow;
  if (!adaptation) return;
  core.adaptive = { memo: freshMemo, responses: new Responses() };
  rankAnew(core);
  core.services.monitor.send({
    type: 'watch.begin',
    watch: {
      run: core.run,
      intervalMs: adaptation.intervalMs,
      sampled: (sample) => core.self.send({ type: 'load.sampled', sample }),
    },
  });
}

/** Nobody looks at the process for this run any more. */
export function endAdaptation({ services, run, adaptive }: RunCore): void {
  if (adaptive) services.monitor.send({ type: 'watch.end', run });
}

/** An attempt has succeeded. */
export function noteResponse({ adaptive, book }: RunCore, id: string, durationMs: number): void {
  if (!adaptive) return;
  const task = book.task(id);
  adaptive.responses.note(task.agent, durationMs, durationOf(task));
}

/** The process was looked at: at most one limit changes, and what waits may be ordered anew. */
export function loadSampled(core: RunCore, sample: Sample): void {
  const { adaptive, halted } = core;
  const { adaptation } = core.book.workflow;
  if (!adaptive || !adaptation || halted) return;
  const measured = measure(core, sample);
  const settings = {
    concurrency: concurrencyOf(core) ?? concurrencyBounds(core).max,
    timeoutFactor: core.ledger.state.adaptation.timeoutFactor,
  };
  const rules = { ...adaptation, concurrency: concurrencyBounds(core) };
  const { memo, change } = adapt(adaptive.memo, { measured, settings, rules });
  adaptive.memo = memo;
  if (change) carryOut(core, change, measured);
  if (adaptation.actions.includes('order')) reorder(core, measured);
}

function carryOut(core: RunCore, change: Adaptation, measured: Measured): void {
  core.ledger.commit([{ type: 'policy.adapted', ...change, measured: figures(measured) }]);
  if (change.policy === 'timeouts')
    return stretchTimeouts(core, { from: change.from ?? 1, to: change.to });
  core.services.governor.send({
    type: 'scope.limit',
    scope: core.run,
    capacity: scopeLimits(core),
    claim: claimOf(core.book.workflow),
  });
}

function reorder(core: RunCore, measured: Measured): void {
  const changes = changedPaces(core);
  if (changes.length === 0) return;
  const bound = boundingTask(core);
  const end = bound === undefined ? '' : `; ${bound} bounds the run now`;
  core.ledger.commit(
    changes.map(({ agent, from, to }) => ({
      type: 'policy.adapted' as const,
      policy: 'order' as const,
      of: agent,
      from,
      to,
      reason: `${agent} takes ${to.toFixed(1)} times as long as planned${end}`,
      measured: figures(measured),
    })),
  );
  rankAnew(core);
}

function figures(measured: Measured): PlainObject {
  return {
    event_loop_delay_ms: Math.round(measured.eventLoopDelayMs),
    memory: Math.round(measured.memory * 1000) / 1000,
    response_time_ms: measured.responseMs ?? null,
    slowness: Math.round(measured.slowness * 1000) / 1000,
    queue_depth: measured.queueDepth,
    running: measured.running,
  };
}

function measure(core: RunCore, { load, waiting }: Sample): Measured {
  const { responses } = core.adaptive ?? { responses: new Responses() };
  const running = runningAttempts(core);
  const p90 = responses.p90();
  return {
    eventLoopDelayMs: load.eventLoopDelayMs,
    memory: load.memory,
    responseMs: running.longestMs > (p90 ?? 0) ? running.longestMs : p90,
    slowness: Math.max(responses.slowness(), running.slowness),
    queueDepth: waiting,
    running: core.holding,
    progressing: running.progressing,
    groups: groupLoads(core),
  };
}

interface Running {
  /** How long the attempt that runs longest has run. */
  longestMs: number;
  /** How many times its planned duration that is, where it is known. */
  slowness: number;
  progressing: boolean;
}

function runningAttempts({ live, ledger, services, book }: RunCore): Running {
  const running: Running = { longestMs: 0, slowness: 1, progressing: false };
  const now = services.clock.now();
  for (const [id, { holding, progressed }] of live) {
    if (!holding) continue;
    const elapsedMs = now - (ledger.state.tasks.get(id)?.dispatchedAt ?? now);
    running.longestMs = Math.max(running.longestMs, elapsedMs);
    running.progressing ||= progressed;
    const task = book.task(id);
    if (!hasKnownDuration(task)) continue;
    running.slowness = Math.max(running.slowness, elapsedMs / Math.max(1, durationOf(task)));
  }
  return running;
}

function groupLoads({ live, book, ledger }: RunCore): GroupLoad[] {
  const counts = new Map<string, number>();
  for (const [id, { holding }] of live) {
    const { group } = book.task(id);
    if (holding && group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return [...counts].map(([id, running]) => {
    const { members } = book.group(id);
    const open = members.filter((member) => ledger.state.tasks.get(member)?.phase !== 'ended');
    const limit = ledger.state.adaptation.groups.get(id);
    return { id, running, waiting: Math.max(0, open.length - running), limit };
  });
}
