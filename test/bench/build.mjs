/**
 * The build under test. Its types come from the sources, so that this folder type-checks without a build.
 * @import { EmbeddedBus } from '../../src/bus/embedded/embedded-bus.ts'
 * @import { Troupe, TroupeOptions } from '../../src/runtime/api.ts'
 * @import { TaskFunction } from '../../src/actors/behaviours/behaviour.ts'
 * @import { Plain, PlainObject } from '../../src/core/plain.ts'
 * @import { Workflow } from '../../src/workflow/model.ts'
 */
import { pathToFileURL } from 'node:url';

/**
 * @typedef {object} Build
 * @property {string} folder
 * @property {(options?: TroupeOptions) => Promise<Troupe>} createTroupe
 * @property {(document: unknown) => Promise<Workflow>} parse checks and normalises a document
 * @property {() => EmbeddedBus} createEmbeddedBus
 */

/**
 * @param {string} folder where the compiled package lies
 * @returns {Promise<Build>}
 */
export async function loadBuild(folder) {
  /** @param {string} path */
  const load = (path) => import(pathToFileURL(`${folder}/${path}`).href);
  const { createTroupe } = await load('index.js');
  const { parseWorkflow } = await load('workflow/validate.js');
  const { createEmbeddedBus } = await load('bus/embedded/embedded-bus.js');
  const { systemClock } = await load('core/clock.js');
  return {
    folder,
    createTroupe,
    parse: (document) => parseWorkflow(document, { baseDir: '.' }),
    createEmbeddedBus: () => createEmbeddedBus({ clock: systemClock, schedule: setImmediate }),
  };
}

/**
 * Runs a workflow to its end and checks that every task has succeeded.
 * @param {Troupe} troupe
 * @param {Workflow} workflow
 * @param {{ input?: PlainObject, tasks: number }} expected
 */
export async function runToEnd(troupe, workflow, { input = {}, tasks }) {
  const handle = await troupe.run(workflow, input);
  const { status, census } = await handle.outcome();
  if (status !== 'succeeded' || census.succeeded !== tasks) {
    throw new Error(`${workflow.name}: ${status}, ${census.succeeded} of ${tasks} tasks succeeded`);
  }
}

const agents = { worker: { uses: 'function', module: 'host:work' } };

/**
 * n tasks that come into being with the run: one task, split over `input.items`.
 * @returns {object}
 */
export function forEachDocument() {
  const tasks = { all: { agent: 'worker', for_each: '${input.items}' } };
  return { version: 1, name: 'for-each', agents, tasks };
}

/**
 * n declared tasks in a group, and one that waits for the group.
 * @param {number} n
 */
export function groupDocument(n) {
  const members = Array.from({ length: n }, (_, index) => `t${index}`);
  const tasks = Object.fromEntries(members.map((id) => [id, { agent: 'worker' }]));
  return {
    version: 1,
    name: 'group',
    agents,
    tasks: { ...tasks, join: { agent: 'worker', needs: ['members'] } },
    groups: { members: { tasks: members } },
  };
}

/**
 * n declared tasks, each after the one before it.
 * @param {number} n
 */
export function chainDocument(n) {
  const tasks = Array.from({ length: n }, (_, index) => [
    `t${index}`,
    { agent: 'worker', ...(index > 0 && { needs: [`t${index - 1}`] }) },
  ]);
  return { version: 1, name: 'chain', agents, tasks: Object.fromEntries(tasks) };
}

/**
 * Declared tasks that take a given time, with what they need.
 * @param {readonly { id: string, ms: number, needs: readonly string[] }[]} steps
 */
export function stepsDocument(steps) {
  const tasks = steps.map(({ id, ms, needs }) => [id, { agent: 'worker', needs, with: { ms } }]);
  return { version: 1, name: 'steps', agents, tasks: Object.fromEntries(tasks) };
}

/** @returns {Plain[]} */
export function numbers(/** @type {number} */ n) {
  return Array.from({ length: n }, (_, index) => index);
}
