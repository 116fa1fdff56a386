import { inputOf, rounded } from './context.mjs';
import { aspectOutput, counted } from './findings.mjs';

/** @typedef {import('./history.mjs').History} History */

/**
 * Who knows what: authors, the bus factor, and folders that hang on one person.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 */
export function authorship(ctx) {
  /** @type {{ history: History }} */
  const { history } = inputOf(ctx);
  if (!history.available)
    return aspectOutput('authorship', {
      examined: 'nothing',
      findings: [],
      notes: [`No authors: ${history.reason}.`],
    });
  return aspectOutput('authorship', {
    examined: `${counted(history.commits, 'commit')} of ${counted(history.authorCount, 'author')} (${history.window}); bus factor ${history.busFactor} (fewest people who made more than half of the changes)`,
    findings: soleFolders(history),
    tables: [authorTable(history), folderTable(history)],
    metrics: {
      authors: history.authorCount,
      bus_factor: history.busFactor,
      sole_files: history.soleFiles,
      changed_files: history.changedFiles,
    },
    notes: [
      ...(history.reason === '' ? [] : [`History is partial: ${history.reason}.`]),
      'Authors are told apart by name (with .mailmap); a pair shows as one, and who reviewed is not known.',
    ],
  });
}

/** @param {History} history Only worth saying where there is more than one author to share with. */
function soleFolders(history) {
  if (history.authorCount < 2) return [];
  return history.folders
    .filter((row) => row.authors === 1 && row.files >= 5 && row.folder !== '.')
    .slice(0, 5)
    .map((row) => ({
      rule: 'sole-author',
      severity: /** @type {const} */ ('low'),
      confidence: /** @type {const} */ ('medium'),
      title: `${row.folder}/ (${counted(row.files, 'file')}) was changed by one person only: ${row.main}`,
      file: null,
      line: null,
      evidence: `${row.lines} changed lines, one author`,
      fix: 'Let a second person review or make the next change there.',
    }));
}

/** @param {History} history */
function authorTable(history) {
  const all = history.authors.reduce((sum, author) => sum + author.lines, 0);
  return {
    title: 'Authors',
    columns: ['author', 'commits', 'lines changed', 'share'],
    rows: history.authors
      .slice(0, 10)
      .map((row) => [
        row.name,
        row.commits,
        row.lines,
        `${rounded((100 * row.lines) / Math.max(1, all), 0)} %`,
      ]),
  };
}

/** @param {History} history */
function folderTable(history) {
  return {
    title: 'Who knows which folder',
    columns: ['folder', 'files changed', 'authors', 'main author', 'share'],
    rows: history.folders
      .slice(0, 12)
      .map((row) => [
        row.folder,
        row.files,
        row.authors,
        row.main,
        `${rounded(100 * row.share, 0)} %`,
      ]),
  };
}
