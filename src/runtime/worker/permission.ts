import { isAbsolute, join, relative } from 'node:path';
import { TroupeError } from '../../core/errors.ts';
import type { AgentSpec } from '../../workflow/model.ts';

/** What a worker host may carry out; said where it is started, never over the network. */
export interface WorkerTrust {
  /** Folder whose modules it may load; undefined: none. */
  readonly baseDir: string | undefined;
  /** Agents may name any program. */
  readonly allowCommands: boolean;
}

/**
 * The agent as this host carries it out.
 * @throws TroupeError TRP_WORKER_REFUSED for programs and modules that it may not run
 */
export function permitted(agent: AgentSpec, trust: WorkerTrust): AgentSpec {
  if (agent.uses === 'simulate') return agent;
  if (agent.uses === 'command') {
    if (trust.allowCommands) return agent;
    throw refusal(`the program of agent ${agent.id}`, 'Start the worker with --allow-commands.');
  }
  const { module = '' } = agent;
  if (module.startsWith('host:')) return agent;
  return { ...agent, module: moduleIn(trust.baseDir, module, agent.id) };
}

/** Only files below the folder: packages and URLs are whatever somebody on the network says. */
function moduleIn(baseDir: string | undefined, module: string, agent: string): string {
  if (!/^\.\.?\//.test(module))
    throw refusal(
      `module ${module} of agent ${agent}`,
      'Name it host:NAME, or by a relative path.',
    );
  if (baseDir === undefined)
    throw refusal(`module ${module} of agent ${agent}`, 'Start the worker with --base-dir FOLDER.');
  const path = join(baseDir, module);
  const inside = relative(baseDir, path);
  if (inside.startsWith('..') || isAbsolute(inside))
    throw refusal(`module ${module} of agent ${agent}`, 'It lies outside of --base-dir.');
  return path;
}

function refusal(what: string, hint: string): TroupeError {
  return new TroupeError('TRP_WORKER_REFUSED', `This worker host may not run ${what}.`, { hint });
}
