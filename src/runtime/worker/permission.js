import { isAbsolute, join, relative } from 'node:path';
import { TroupeError } from '../../core/errors.js';
/**
 * The agent as this host carries it out.
 * @throws TroupeError TRP_WORKER_REFUSED for programs and modules that it may not run
 */
export function permitted(agent, trust) {
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
function moduleIn(baseDir, module, agent) {
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
function refusal(what, hint) {
  return new TroupeError('TRP_WORKER_REFUSED', `This worker host may not run ${what}.`, { hint });
}
