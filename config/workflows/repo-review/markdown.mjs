import { counted } from './findings.mjs';
import { findingSection, place } from './markdown-findings.mjs';
import { lines, plain, tableLines } from './markdown-text.mjs';

/**
 * The report as a page: one screen of summary, then findings with their places, then tables. Nothing
 * in it depends on when or where it was written: one commit gives one report.
 *
 * @typedef {import('./synthesis.mjs').Review} Review
 * @typedef {Review['findings'][number]} Numbered
 */

/**
 * @param {Review} review
 * @param {string} checked What the cross-check said.
 */
export function markdownOf(review, checked) {
  return [
    summary(review, checked),
    findingSection(review),
    tableSection(review),
    unexaminedSection(review),
    footer(review),
  ]
    .join('\n')
    .replace(/\n{3,}/g, '\n\n');
}

/**
 * @param {Review} review
 * @param {string} checked
 */
function summary(review, checked) {
  const { subject, headline, counts } = review;
  return lines(
    `# Review of ${plain(subject.name)}`,
    '',
    `${versionLine(review)} ${subject.examined} of ${counted(subject.tracked, 'file')} examined${languages(review)}.`,
    '',
    ...subject.warnings.flatMap((warning) => [`> ${plain(warning)}`, '']),
    `**${plain(headline)}**`,
    '',
    `Findings: ${Object.entries(counts)
      .map(([severity, count]) => `${count} ${severity}`)
      .join(
        ', ',
      )}. ${checked === '' ? 'Citations were not checked again.' : `Checked: ${plain(checked)}.`}`,
    '',
    ...topFindings(review),
    ...topHotspots(review),
    '## Scores',
    '',
    ...tableLines({
      columns: ['area', 'score', 'how'],
      rows: review.scores.map((score) => [score.area, score.score ?? '–', score.how]),
    }),
    '',
    'A score ranks what to look at first within this repository; it does not compare projects. w(n) is log2(1 + n): each doubling counts once more.',
    '',
  );
}

/** @param {Review} review */
function versionLine({ subject: { version } }) {
  if (version.kind === 'none') return 'A folder without git history.';
  if (version.head === '') return 'A git repository without a commit.';
  return `Commit \`${version.head.slice(0, 12)}\` of ${version.date.slice(0, 10)}${version.branch === '' ? '' : ` on ${plain(version.branch)}`}.`;
}

/** @param {Review} review */
function languages({ subject }) {
  const top = subject.languages.filter((row) => row.language !== 'other').slice(0, 3);
  return top.length === 0
    ? ''
    : `; mostly ${top.map((row) => `${row.language} (${row.files})`).join(', ')}`;
}

/** @param {Review} review */
function topFindings({ findings }) {
  if (findings.length === 0) return ['Nothing was found.', ''];
  const weighty = findings.filter((finding) => finding.severity !== 'low');
  const rows = distinctFirst(weighty.length >= 5 ? weighty : findings)
    .slice(0, 10)
    .map((finding) => [finding.severity, finding.title, place(finding)]);
  return [
    '## Look at these first',
    '',
    ...tableLines({ columns: ['severity', 'what', 'where'], rows }),
    '',
  ];
}

/**
 * At most three findings of one rule, so that a repeated one does not hide the rest of the page.
 *
 * @param {readonly Numbered[]} findings
 */
function distinctFirst(findings) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return findings.filter((finding) => {
    const count = (seen.get(finding.rule) ?? 0) + 1;
    seen.set(finding.rule, count);
    return count <= 3;
  });
}

/** @param {Review} review */
function topHotspots({ aspects }) {
  const table = aspects
    .find((aspect) => aspect.aspect === 'hotspots')
    ?.tables.find((found) => found.title === 'Hotspots');
  /* Where nothing changed often there is nothing hot. */
  if (table === undefined || table.rows.every((row) => Number(row[1]) < 3)) return [];
  return [
    '## Hotspots',
    '',
    'Changed often and hard to change: work on these pays back soonest.',
    '',
    ...tableLines({ ...table, rows: table.rows.slice(0, 5) }),
    '',
  ];
}

/** @param {Review} review */
function tableSection({ aspects }) {
  const order = [
    'size',
    'hotspots',
    'security',
    'tests',
    'duplication',
    'structure',
    'dependencies',
    'documentation',
    'authorship',
  ];
  const sorted = aspects.toSorted((a, b) => order.indexOf(a.aspect) - order.indexOf(b.aspect));
  return lines('## Tables', '', ...sorted.flatMap(aspectLines));
}

/** @param {Review['aspects'][number]} aspect */
function aspectLines({ aspect, examined, tables }) {
  const title = aspect.charAt(0).toUpperCase() + aspect.slice(1);
  return [
    `### ${title}`,
    '',
    `Examined: ${plain(examined)}.`,
    '',
    ...tables.flatMap((table) => [`**${table.title}**`, '', ...tableLines(table), '']),
  ];
}

/** @param {Review} review */
function unexaminedSection({ unexamined }) {
  return lines(
    '## What was not examined',
    '',
    ...(unexamined.length === 0
      ? ['Nothing was left out.']
      : unexamined.map((row) => `- ${plain(row.what)}: ${plain(row.why).replace(/\.?$/, '.')}`)),
    '',
  );
}

/** @param {Review} review */
function footer({ subject }) {
  return lines(
    '## How to read this',
    '',
    'Findings come from patterns and counts, not from understanding: each cites its line so that you can judge in seconds. ' +
      'Severity says how bad it is if true, confidence how often such a finding is true. Secrets are never printed. ' +
      'Complexity counts branches (McCabe) found without a parser, so it may be off by a few.',
    ...(subject.version.kind === 'git'
      ? ['', 'The same commit in a clean working tree gives the same report, byte for byte.']
      : []),
  );
}
