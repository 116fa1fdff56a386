/**
 * Secrets: how they look, and how a line is shown without them. Everything that this review cites
 * goes through `evidenceOf`, so that no report and no journal repeats a secret, whichever agent saw it.
 *
 * @typedef {object} SecretRule
 * @property {string} id
 * @property {string} title
 * @property {RegExp} pattern Global; group 1 is what may be shown before the secret, group 2 the secret.
 * @property {'critical' | 'high' | 'medium'} severity
 * @property {'high' | 'medium'} confidence
 * @property {number} entropy Least bits per character of the secret; 0 asks for none.
 */

/** @type {readonly SecretRule[]} */
export const secretRules = [
  rule(['private-key', 'Private key'], /(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----)(.*)/g, [
    'critical',
    'high',
    0,
  ]),
  rule(['aws-access-key', 'AWS access key id'], /\b((?:AKIA|ASIA))([0-9A-Z]{16})\b/g, [
    'critical',
    'high',
    2.5,
  ]),
  rule(['github-token', 'GitHub token'], /\b(gh[pousr]_|github_pat_)([A-Za-z0-9_]{22,255})/g, [
    'critical',
    'high',
    3,
  ]),
  rule(['gitlab-token', 'GitLab token'], /\b(glpat-)([\w-]{20,64})/g, ['critical', 'high', 3]),
  rule(['slack-token', 'Slack token'], /\b(xox[baprs]-)([\w-]{10,200})/g, [
    'critical',
    'high',
    2.5,
  ]),
  rule(['stripe-key', 'Stripe live key'], /\b([rs]k_live_)([A-Za-z0-9]{16,200})/g, [
    'critical',
    'high',
    3,
  ]),
  rule(['google-key', 'Google API key'], /\b(AIza)([\w-]{35})/g, ['high', 'high', 3]),
  rule(['npm-token', 'npm token'], /\b(npm_)([A-Za-z0-9]{36})\b/g, ['critical', 'high', 3]),
  rule(['model-key', 'Key of a model provider'], /\b(sk-(?:ant-|proj-)?)([\w-]{32,200})/g, [
    'critical',
    'high',
    3.2,
  ]),
  rule(['azure-key', 'Azure account key'], /(AccountKey=)([A-Za-z0-9+/]{40,100}={0,2})/g, [
    'critical',
    'high',
    3.5,
  ]),
  rule(['sendgrid-key', 'SendGrid key'], /\b(SG\.)([\w-]{16,32}\.[\w-]{16,64})/g, [
    'critical',
    'high',
    3,
  ]),
  rule(['jwt', 'JSON web token'], /\b(eyJ)([\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})/g, [
    'high',
    'medium',
    3,
  ]),
  rule(
    ['url-password', 'Password in a URL'],
    /([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@'"`<>{}$]{0,64}:)([^\s:/@'"`<>{}$]{3,200})(?=@)/gi,
    ['high', 'medium', 0],
  ),
  rule(
    ['assigned-secret', 'Secret written into the code'],
    /((?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|auth[_-]?token|private[_-]?key|client[_-]?secret|_authtoken|token)["'\]]?\s*(?:[:=]|=>|:=)\s*["'`]?)([^\s"'`,;(){}<>[\]]{8,200})/gi,
    ['high', 'medium', 3],
  ),
];

/** What stands where a secret belongs: a placeholder, a reference, an expression. */
const placeholder =
  /example|sample|placeholder|change.?me|your[_-]?|dummy|redacted|xxxx|\*\*\*|\.\.\.|^test|^fake|^mock|process\.env|os\.environ|getenv|secrets?[.[]|^\$|^%|env\[|^(?:string|boolean|number|undefined|null|none|true|false|required|optional)\b/i;

/** An identifier, a call or a property path rather than a value: `token: tokenFromRequest`. */
const expression = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*[?!]?$/;

/**
 * @param {[string, string]} name Id and title.
 * @param {RegExp} pattern
 * @param {[SecretRule['severity'], SecretRule['confidence'], number]} weight
 * @returns {SecretRule}
 */
function rule([id, title], pattern, [severity, confidence, entropy]) {
  return { id, title, pattern, severity, confidence, entropy };
}

/**
 * Shannon entropy in bits per character: random keys have 3.5 and more, words 2 to 3.
 *
 * @param {string} text
 */
export function entropyOf(text) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values())
    bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/**
 * True when the value found by a rule looks like a real secret.
 *
 * @param {SecretRule} found
 * @param {string} value
 */
export function isLikelySecret(found, value) {
  if (found.id === 'private-key') return true;
  if (placeholder.test(value) || entropyOf(value) < found.entropy) return false;
  return found.id !== 'assigned-secret' || looksRandom(value);
}

/** @param {string} value */
function looksRandom(value) {
  if (!expression.test(value)) return !/^[a-z-]+$|^[./]/i.test(value);
  return /\d/.test(value) && /[A-Za-z]/.test(value) && entropyOf(value) >= 3.3;
}

/**
 * The secrets of one line.
 *
 * @param {string} line
 * @returns {{ readonly rule: SecretRule, readonly value: string }[]}
 */
export function secretsIn(line) {
  return secretRules.flatMap((found) =>
    [...line.matchAll(found.pattern)]
      .map((match) => ({ rule: found, value: match[2] ?? '' }))
      .filter(({ value }) => isLikelySecret(found, value)),
  );
}

/** Long runs without a space that may be keys though no rule knows them. */
const opaque = /[A-Za-z0-9+/_=-]{24,}/g;

/**
 * The text with everything that looks like a secret taken out. It takes out more than `secretsIn`
 * reports: a word too many is cheap here, a key too many is not.
 *
 * @param {string} text
 */
export function redact(text) {
  let shown = text;
  for (const { pattern } of secretRules) {
    shown = shown.replace(pattern, (_all, before, secret) => `${before}${hidden(secret)}`);
  }
  return shown.replace(opaque, (run) => (isOpaque(run) ? hidden(run) : run));
}

/**
 * Made of words, as names are: `convertBase64ToUint8Array` has 25 characters in 7 pieces. In random
 * letters of both cases and digits a piece has less than two.
 *
 * @param {string} part
 */
function isWordy(part) {
  const pieces = part.match(/[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? [];
  return /[a-z][A-Z]/.test(part) && part.length >= 3.5 * pieces.length;
}

/** @param {string} run One long part without order is enough: keys have them, paths and names do not. */
function isOpaque(run) {
  return run
    .split(/[-_/]/)
    .some(
      (part) =>
        part.length >= 16 &&
        /\d/.test(part) &&
        /[A-Za-z]/.test(part) &&
        entropyOf(part) >= 3.2 &&
        !isWordy(part),
    );
}

/** @param {string} secret */
function hidden(secret) {
  return secret === '' ? '' : `[redacted ${secret.length} characters]`;
}

/** Characters of a line that a report shows. */
const evidenceLength = 140;

/**
 * A line as a report may show it: redacted first, then cut. Being a function of the line alone, it
 * is also how the cross-check recognises that a cited line still says the same.
 *
 * @param {string} line
 */
export function evidenceOf(line) {
  const shown = redact(line.slice(0, 4000)).replace(/\s+/g, ' ').trim();
  return shown.length > evidenceLength ? `${shown.slice(0, evidenceLength - 1)}…` : shown;
}
