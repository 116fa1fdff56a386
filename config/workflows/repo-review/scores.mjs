import { rounded } from './context.mjs';

/**
 * Scores from 0 to 100, each with the sentence that says how it came about. They rank what to look at
 * first; they do not compare one project with another.
 *
 * @typedef {import('./findings.mjs').AspectOutput} AspectOutput
 * @typedef {{ [name: string]: number }} Metrics
 * @typedef {{ area: string, score: number | null, how: string }} Score
 */

/** @type {readonly { area: string, aspect: string, of: (metrics: Metrics) => { score: number | null, how: string } }[]} */
const scored = [
  { area: 'Secrets and risks', aspect: 'security', of: securityScore },
  { area: 'Tests', aspect: 'tests', of: testScore },
  { area: 'Complexity', aspect: 'size', of: complexityScore },
  { area: 'Duplication', aspect: 'duplication', of: duplicationScore },
  { area: 'Structure', aspect: 'structure', of: structureScore },
  { area: 'Dependencies', aspect: 'dependencies', of: dependencyScore },
  { area: 'Documentation', aspect: 'documentation', of: documentationScore },
];

/**
 * @param {readonly AspectOutput[]} aspects
 * @returns {Score[]}
 */
export function scoresOf(aspects) {
  return scored.map(({ area, aspect, of }) => {
    const found = aspects.find((output) => output.aspect === aspect);
    if (found === undefined) return { area, score: null, how: 'not examined' };
    const { score, how } = of(found.metrics);
    return {
      area,
      score: score === null ? null : Math.max(0, Math.min(100, rounded(score, 0))),
      how,
    };
  });
}

/**
 * @param {Metrics} metrics
 * @param {string} name
 */
function value(metrics, name) {
  return metrics[name] ?? 0;
}

/**
 * What many of a kind weigh: each doubling counts once more, so that fifty do not drown everything.
 *
 * @param {number} count
 */
function weight(count) {
  return rounded(Math.log2(1 + count));
}

/** @param {Metrics} metrics */
function securityScore(metrics) {
  const [critical, high, medium] = [
    value(metrics, 'critical'),
    value(metrics, 'high'),
    value(metrics, 'medium'),
  ];
  const score = 100 - 40 * weight(critical) - 15 * weight(high) - 4 * weight(medium);
  return {
    score,
    how: `100 − 40 × w(${critical} critical) − 15 × w(${high} high) − 4 × w(${medium} medium)`,
  };
}

/** @param {Metrics} metrics */
function testScore(metrics) {
  const modules = value(metrics, 'modules');
  if (modules === 0) return { score: null, how: 'no modules that tests could name' };
  const named = 1 - value(metrics, 'untested') / modules;
  const ratio = Math.min(
    1,
    value(metrics, 'test_lines') / Math.max(1, value(metrics, 'source_lines')),
  );
  const how = `60 × ${rounded(named, 2)} of the modules named by a test + 40 × ${rounded(ratio, 2)} test lines per source line (at most 1)`;
  return { score: 60 * named + 40 * ratio, how };
}

/** @param {Metrics} metrics */
function complexityScore(metrics) {
  const functions = value(metrics, 'functions');
  if (functions === 0) return { score: null, how: 'no functions found' };
  const share = (100 * value(metrics, 'functions_over')) / functions;
  return {
    score: 100 - 5 * share,
    how: `100 − 5 × ${rounded(share)} % of ${functions} functions too long, complex or nested`,
  };
}

/** @param {Metrics} metrics */
function duplicationScore(metrics) {
  if (value(metrics, 'lines') === 0) return { score: null, how: 'no source lines' };
  return {
    score: 100 - 3 * value(metrics, 'share'),
    how: `100 − 3 × ${value(metrics, 'share')} % repeated lines`,
  };
}

/** @param {Metrics} metrics */
function structureScore(metrics) {
  const scripts = value(metrics, 'scripts');
  if (scripts === 0) return { score: null, how: 'no JavaScript or TypeScript' };
  const share = (100 * value(metrics, 'files_in_cycles')) / scripts;
  return {
    score: 100 - 2 * share,
    how: `100 − 2 × ${rounded(share)} % of ${scripts} files in import cycles (${value(metrics, 'cycles')})`,
  };
}

/** @param {Metrics} metrics */
function dependencyScore(metrics) {
  if (value(metrics, 'manifests') === 0) return { score: null, how: 'no manifest found' };
  const [unpinned, locks, licence] = [
    value(metrics, 'unpinned'),
    value(metrics, 'missing_locks'),
    value(metrics, 'licence_file'),
  ];
  const how = `100 − 10 × w(${unpinned} unpinned) − 15 × w(${locks} missing locks)${licence === 1 ? '' : ' − 10 for no licence file'}`;
  return {
    score: 100 - 10 * weight(unpinned) - 15 * weight(locks) - (licence === 1 ? 0 : 10),
    how,
  };
}

/** @param {Metrics} metrics */
function documentationScore(metrics) {
  const exports = value(metrics, 'exports');
  const documented = exports === 0 ? 1 : value(metrics, 'documented') / exports;
  const parts = value(metrics, 'readme_parts');
  const broken = value(metrics, 'broken_links');
  const how = `25 for a README (${value(metrics, 'readme')}) + 7 × ${parts} of 5 parts + 40 × ${rounded(documented, 2)} of the exports documented − 8 × w(${broken} broken links)`;
  return {
    score: 25 * value(metrics, 'readme') + 7 * parts + 40 * documented - 8 * weight(broken),
    how,
  };
}
