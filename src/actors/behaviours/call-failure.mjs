/**
 * What an error says about a call to a provider. Plain JavaScript, because the same file serves inside a
 * thread or process of its own. Never throws, whatever the error does when it is looked at.
 *
 * @import { CallEnd } from './behaviour.ts'
 */

/** How often one call is made when the provider refuses it again and again. */
export const maxCallTries = 20;

/** Headers that say how long to wait and what is allowed. */
const kept = [
  'retry-after',
  'retry-after-ms',
  'x-ratelimit-limit-requests',
  'x-ratelimit-limit-tokens',
  'anthropic-ratelimit-requests-limit',
  'anthropic-ratelimit-tokens-limit',
];

/**
 * How a call ended that threw. Status, wait and headers are found where the usual clients put them: on the
 * error itself (`status`, `statusCode`, `headers`, `responseHeaders`) or on its `response`.
 * @param {unknown} thrown
 * @returns {CallEnd}
 */
export function failureOf(thrown) {
  const response = read(thrown, 'response');
  const status =
    read(thrown, 'status') ?? read(thrown, 'statusCode') ?? read(response, 'status') ?? undefined;
  const headers = rateHeaders(
    read(thrown, 'headers') ?? read(thrown, 'responseHeaders') ?? read(response, 'headers'),
  );
  const [retryAfterMs, retryAfter] = [read(thrown, 'retryAfterMs'), read(thrown, 'retryAfter')];
  const hint = {
    ...(headers && { headers }),
    ...(isHint(retryAfterMs) && { retryAfterMs }),
    ...(isHint(retryAfter) && { retryAfter }),
  };
  return { end: endOf(status, hint), ...hint, ...(isRejection(status) && { rejected: true }) };
}

/**
 * Of the headers of an answer those that tell of limits, names in lower case; undefined: there are none.
 * @param {unknown} headers a mapping, or an object with `get`
 * @returns {{ [name: string]: string } | undefined}
 */
export function rateHeaders(headers) {
  if (headers === null || typeof headers !== 'object') return undefined;
  /** @type {{ [name: string]: string }} */
  const found = {};
  try {
    if (typeof read(headers, 'get') === 'function') {
      for (const name of kept) note(found, name, /** @type {Headers} */ (headers).get(name));
    } else {
      for (const [name, value] of Object.entries(headers)) note(found, name.toLowerCase(), value);
    }
  } catch {
    return undefined;
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

/**
 * Whether the provider works and the call is wrong.
 * @param {unknown} status
 */
function isRejection(status) {
  return (
    typeof status === 'number' && status >= 400 && status < 500 && ![408, 429].includes(status)
  );
}

/** @param {{ [name: string]: string }} found @param {string} name @param {unknown} value */
function note(found, name, value) {
  if (kept.includes(name) && isHint(value)) found[name] = `${value}`;
}

/**
 * @param {unknown} status
 * @param {object} hint
 * @returns {CallEnd['end']}
 */
function endOf(status, hint) {
  if (status === 429) return 'limited';
  if (status === 503 || status === 529) return 'overloaded';
  const mayBe = typeof status !== 'number' || status >= 500;
  return mayBe && Object.keys(waits(hint)).length > 0 ? 'overloaded' : 'failed';
}

/** @param {{ headers?: { [name: string]: string }, retryAfterMs?: unknown, retryAfter?: unknown }} hint */
function waits({ headers = {}, ...rest }) {
  const named = Object.keys(headers).filter((name) => name.startsWith('retry-after'));
  return { ...rest, ...Object.fromEntries(named.map((name) => [name, true])) };
}

/** @param {unknown} value @returns {value is string | number} */
function isHint(value) {
  return typeof value === 'string' || typeof value === 'number';
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {unknown}
 */
function read(value, name) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function'))
    return undefined;
  try {
    return /** @type {Record<string, unknown>} */ (value)[name];
  } catch {
    return undefined;
  }
}
