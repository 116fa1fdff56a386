/**
 * Finding the function that a document names. Plain JavaScript for the same reason as the context:
 * it serves in this process and in isolated ones.
 *
 * @import { AgentSpec } from '../../workflow/model.ts'
 */
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * What to load, and the folder that a bare specifier is resolved from.
 * @typedef {Pick<AgentSpec, 'module' | 'export'> & { readonly baseDir: string }} ModuleReference
 */

/** A module that cannot be used; the same code as everywhere, so that it can be told apart on both sides. */
class ModuleFault extends Error {
  code = 'TRP_WORKFLOW_MODULE';
  errorClass = 'permanent';

  /**
   * @param {string} message
   * @param {{ place?: string, hint?: string, cause?: unknown }} details
   */
  constructor(message, { place, hint, cause }) {
    super(message, cause === undefined ? undefined : { cause });
    this.place = place;
    this.hint = hint;
  }
}

/**
 * Imports a module and picks its export.
 * @param {ModuleReference} reference
 * @returns {Promise<(context: object) => unknown>}
 * @throws with code TRP_WORKFLOW_MODULE: the path, and as hint the exports that exist
 */
export async function loadFunction(reference) {
  if (!reference.module) throw new ModuleFault('The agent names no module.', {});
  const address = addressOf(reference.module, reference.baseDir);
  const namespace = await importAt(address);
  const found = Object.hasOwn(namespace, reference.export)
    ? namespace[reference.export]
    : undefined;
  if (typeof found === 'function') return /** @type {(context: object) => unknown} */ (found);
  const functions = Object.keys(namespace).filter((name) => typeof namespace[name] === 'function');
  throw new ModuleFault(`The module exports no function "${reference.export}".`, {
    place: address,
    hint:
      functions.length > 0
        ? `It exports the functions ${functions.join(', ')}.`
        : 'It exports no function at all.',
  });
}

/**
 * Files by their URL; packages as the workflow's own folder would find them, else as Troupe itself does.
 * @param {string} module
 * @param {string} baseDir
 */
function addressOf(module, baseDir) {
  if (isAbsolute(module)) return pathToFileURL(module).href;
  if (/^(file|data|node):/.test(module)) return module;
  if (/^\.\.?\//.test(module)) return pathToFileURL(join(baseDir, module)).href;
  try {
    return pathToFileURL(createRequire(join(baseDir, 'workflow.js')).resolve(module)).href;
  } catch {
    return module;
  }
}

/**
 * @param {string} address
 * @returns {Promise<Record<string, unknown>>}
 */
async function importAt(address) {
  try {
    return await import(address);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'it threw something that is no error';
    throw new ModuleFault(`The module cannot be loaded: ${why}`, { place: address, cause });
  }
}
