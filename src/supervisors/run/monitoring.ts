import type { Sample } from '../../actors/monitor.ts';
import { AlertThresholds } from '../../policies/alert-thresholds.ts';
import type { RunCore } from './core.ts';
import type { ThresholdWatch } from './reliability-ports.ts';
import { Responses } from './responses.ts';

/** Compares what is measured with the thresholds of `monitoring`, and tells when one is passed. */
class RunMonitoring implements ThresholdWatch {
  private readonly core: RunCore;
  private readonly thresholds: AlertThresholds;
  private readonly responses = new Responses();

  constructor(core: RunCore, thresholds: AlertThresholds) {
    this.core = core;
    this.thresholds = thresholds;
  }

  /** An attempt has succeeded. */
  note(agent: string, durationMs: number): void {
    this.responses.note(agent, durationMs, durationMs);
  }

  /** The process was looked at. */
  sampled({ load, waiting }: Sample): void {
    const { run, services } = this.core;
    const readings = {
      event_loop_delay: load.eventLoopDelayMs,
      memory: load.memory,
      queue_depth: waiting,
      response_time: this.responses.p90(),
    };
    for (const { threshold, state, value, limit } of this.thresholds.sample(readings)) {
      const why = `${threshold} is ${rounded(value)}, the threshold ${rounded(limit)}`;
      services.logger[state === 'passed' ? 'warn' : 'info'](why, { run, threshold });
      services.alerted?.(run, { kind: 'threshold', of: threshold, state, why });
    }
  }
}

/** Watches the thresholds of a run whose document names some; a run that adapts is looked at already. */
export function beginMonitoring(core: RunCore): void {
  const { monitoring, adaptation } = core.book.workflow;
  if (!monitoring) return;
  core.monitoring = new RunMonitoring(core, new AlertThresholds(monitoring.thresholds));
  if (adaptation) return;
  core.services.monitor.send({
    type: 'watch.begin',
    watch: {
      run: core.run,
      intervalMs: monitoring.intervalMs,
      sampled: (sample) => core.self.send({ type: 'load.sampled', sample }),
    },
  });
}

/** Nobody looks at the process for this run any more. */
export function endMonitoring({ services, run, monitoring }: RunCore): void {
  if (monitoring) services.monitor.send({ type: 'watch.end', run });
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
