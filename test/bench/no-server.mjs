import { line } from './line.mjs';

/**
 * What a load says that has nothing to run on.
 * @param {string} bench
 */
export function noServerLine(bench) {
  return line({ bench, case: 'no nats-server is installed: nothing measured', n: 0 });
}
