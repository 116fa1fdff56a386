import { counted, severities } from './findings.mjs';
import { code, lines, plain, tableLines } from './markdown-text.mjs';

/**
 * Findings as a reader wants them: one section per kind with what to do about it, then the places.
 *
 * @typedef {import('./synthesis.mjs').Review} Review
 * @typedef {Review['findings'][number]} Numbered
 */

/** Places of one kind that are listed; all of them stand in report.json. */
const shownPlaces = 12;

/** Names of kinds whose findings each have a title of their own. */
const kinds = /** @type {{ readonly [rule: string]: string }} */ ({
  'hard-function': 'Functions that are hard to change',
  marker: 'Markers left in the code',
  hotspot: 'Complex files that change often',
  'repeated-block': 'Repeated blocks',
  'broken-link': 'Links that lead nowhere',
  'lost-import': 'Imports of files that do not exist',
  'untracked-import': 'Imports of files that are not tracked',
  'import-cycle': 'Import cycles',
  unpinned: 'Dependencies that may be any version',
  'no-lock': 'Dependencies without a lock file',
  copyleft: 'Packages under a strict licence',
  'sole-author': 'Folders that hang on one person',
});

/** @param {Review} review */
export function findingSection({ findings, cut, withdrawn }) {
  return lines(
    '## Findings',
    '',
    ...(findings.length === 0 ? ['None.', ''] : []),
    ...kindsOf(findings).flatMap(kindLines),
    ...cut.flatMap((row) => [
      `Of ${row.total} findings in "${row.aspect}" the worst ${row.shown} are listed.`,
      '',
    ]),
    ...withdrawn.flatMap((row) => [
      `Withdrawn after the cross-check: ${code(row.key)} (${row.reason}).`,
      '',
    ]),
  );
}

/**
 * Findings of one rule and severity together, in the order of their first.
 *
 * @param {readonly Numbered[]} findings
 */
function kindsOf(findings) {
  /** @type {Map<string, Numbered[]>} */
  const groups = new Map();
  for (const finding of findings) {
    const key = `${severities.indexOf(finding.severity)} ${finding.rule}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()];
}

/** @param {readonly Numbered[]} findings */
function kindLines(findings) {
  const [first] = findings;
  if (first === undefined) return [];
  const own = findings.some((finding) => finding.title !== first.title);
  const title = findings.length === 1 ? first.title : (kinds[first.rule] ?? first.title);
  const left = findings.length - shownPlaces;
  return [
    `### ${plain(title)}`,
    '',
    `**${first.severity}** · confidence ${confidence(findings)} · ${first.aspect}${findings.length > 1 ? ` · ${counted(findings.length, 'place')}` : ''}. ${plain(first.fix)}`,
    '',
    ...tableLines(
      {
        columns: own ? ['id', 'where', 'what'] : ['id', 'where', 'evidence'],
        rows: findings.slice(0, shownPlaces).map((finding) => placeRow(finding, own)),
      },
      (cell) => cell,
    ),
    ...(left > 0 ? ['', `${left} more in report.json.`] : []),
    '',
  ];
}

/** @param {readonly Numbered[]} findings */
function confidence(findings) {
  return [...new Set(findings.map((finding) => finding.confidence))].join(' to ');
}

/**
 * @param {Numbered} finding
 * @param {boolean} own
 */
function placeRow(finding, own) {
  return [
    finding.id,
    finding.file === null ? 'the repository' : code(place(finding)),
    own ? plain(finding.title) : code(finding.evidence),
  ];
}

/** @param {Numbered} finding */
export function place({ file, line }) {
  if (file === null) return 'the repository';
  return line === null ? file : `${file}:${line}`;
}
