import { eachItem, inputOf } from './context.mjs';
import { isText, readText } from './files.mjs';
import { aspectOutput, bySeverity, counted, lowered } from './findings.mjs';
import { isSample, languageOf, roleOf } from './languages.mjs';
import { evidenceOf, secretsIn } from './redact.mjs';
import { riskRules, sensitiveNames } from './risk-rules.mjs';
import { inComment, scan } from './scan.mjs';

/**
 * @typedef {import('./findings.mjs').Finding} Finding
 * @typedef {Omit<Finding, 'aspect'>} Found
 * @typedef {{ examined: number, secrets: number, risks: number, total: number, findings: Found[] }} SecurityShard
 * @typedef {{ path: string, language: string, scanned: import('./scan.mjs').Scan }} Subject
 */

/** Longer lines are data or minified: only their beginning is searched. */
const maxLine = 2000;
const keptPerShard = 60;
const maxPerRuleAndFile = 5;

/**
 * Secrets and risky patterns of one shard of the files.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 * @returns {Promise<SecurityShard>}
 */
export async function scanShard(ctx) {
  /** @type {{ root: string, files: string[] | null }} */
  const { root, files } = inputOf(ctx);
  /** @type {Found[]} */
  const found = [];
  let examined = 0;
  await eachItem(ctx, files ?? [], async (path) => {
    found.push(...nameFinding(path));
    const file = await readText(root, path, { signal: ctx.signal });
    if (!isText(file)) return;
    examined += 1;
    const language = languageOf(path);
    const subject = {
      path,
      language: language?.name ?? 'other',
      scanned: scan(file.text, language?.family ?? 'prose'),
    };
    found.push(...secretFindings(subject), ...riskFindings(subject));
  });
  const secrets = found.filter((finding) => finding.rule.startsWith('secret')).length;
  const ranked = found.map((finding) => ({ ...finding, aspect: 'security' })).sort(bySeverity);
  return {
    examined,
    secrets,
    risks: found.length - secrets,
    total: found.length,
    findings: ranked.slice(0, keptPerShard),
  };
}

/** @param {string} path */
function nameFinding(path) {
  if (!sensitiveNames.test(path)) return [];
  const severity = lowered('high', isSample(path) ? 2 : 0);
  const fix = 'Take it out of the repository, renew what it holds, and ignore the name.';
  return [
    {
      rule: 'secret-file',
      severity,
      confidence: /** @type {const} */ ('medium'),
      title: 'A file that usually holds credentials is tracked',
      file: path,
      line: null,
      evidence: '',
      fix,
    },
  ];
}

/**
 * @param {Subject} subject
 * @returns {Found[]}
 */
function secretFindings({ path, scanned }) {
  const prose = roleOf(path) === 'docs' || isSample(path);
  return scanned.raw.flatMap((line, index) => {
    const secrets = distinct(secretsIn(line.slice(0, maxLine)));
    return secrets.map(({ rule }) => ({
      rule: `secret-${rule.id}`,
      severity: lowered(rule.severity, prose ? 2 : 0),
      confidence: prose ? /** @type {const} */ ('low') : rule.confidence,
      title: `${rule.title}${prose ? ' (in a test, sample or document)' : ''}`,
      file: path,
      line: index + 1,
      evidence: evidenceOf(line),
      fix: 'Renew it first, since history keeps it; then read it from the environment or a secret store.',
    }));
  });
}

/**
 * One secret found by two rules is told once, by the first and more exact rule.
 *
 * @param {ReturnType<typeof secretsIn>} secrets
 */
function distinct(secrets) {
  return secrets.filter(
    (secret, index) =>
      !secrets
        .slice(0, index)
        .some((other) => other.value.includes(secret.value) || secret.value.includes(other.value)),
  );
}

/**
 * @param {Subject} subject
 * @returns {Found[]}
 */
function riskFindings(subject) {
  if (roleOf(subject.path) === 'docs') return [];
  const rules = riskRules.filter((rule) => rule.languages.test(subject.language));
  return rules.flatMap((rule) => matches(subject, rule).slice(0, maxPerRuleAndFile));
}

/**
 * @param {Subject} subject
 * @param {import('./risk-rules.mjs').RiskRule} rule
 * @returns {Found[]}
 */
function matches({ path, scanned }, rule) {
  const sample = isSample(path);
  const lines = rule.on === 'code' ? scanned.code : scanned.raw;
  return lines.flatMap((line, index) => {
    const match = rule.pattern.exec(line.slice(0, maxLine));
    if (match === null || inComment(scanned, index, match.index)) return [];
    const { id, title, severity, fix } = rule;
    const confidence = sample ? /** @type {const} */ ('low') : rule.confidence;
    return [
      {
        rule: id,
        severity: lowered(severity, sample ? 2 : 0),
        confidence,
        title,
        file: path,
        line: index + 1,
        evidence: evidenceOf(scanned.raw[index] ?? ''),
        fix,
      },
    ];
  });
}

/**
 * The aspect as a whole, from its shards; a shard that failed is a gap and is told.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 */
export function security(ctx) {
  /** @type {{ shards: (SecurityShard | null)[], expected: number }} */
  const input = inputOf(ctx);
  const shards = (input.shards ?? []).filter((shard) => shard !== null);
  const findings = shards.flatMap((shard) => shard.findings);
  const examined = shards.reduce((sum, shard) => sum + shard.examined, 0);
  const lost = (input.shards ?? []).length - shards.length;
  return aspectOutput('security', {
    examined: `${examined} of ${counted(input.expected, 'file')}, ${riskRules.length} rules besides the secrets`,
    findings,
    total: shards.reduce((sum, shard) => sum + shard.total, 0),
    tables: [ruleTable(findings)],
    metrics: {
      critical: findings.filter((finding) => finding.severity === 'critical').length,
      high: findings.filter((finding) => finding.severity === 'high').length,
      medium: findings.filter((finding) => finding.severity === 'medium').length,
      secrets: shards.reduce((sum, shard) => sum + shard.secrets, 0),
    },
    notes: [
      ...(lost > 0
        ? [`${counted(lost, 'shard')} of the files was not searched for secrets and risks.`]
        : []),
      'Only the files as they are now were searched: a secret that was removed is still in the history.',
    ],
  });
}

/** @param {readonly Found[]} findings */
function ruleTable(findings) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const finding of findings) counts.set(finding.title, (counts.get(finding.title) ?? 0) + 1);
  const rows = [...counts].sort(([, a], [, b]) => b - a).slice(0, 12);
  return { title: 'Secrets and risks by kind', columns: ['kind', 'places'], rows };
}
