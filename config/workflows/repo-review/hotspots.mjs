import { byText, inputOf } from './context.mjs';
import { aspectOutput, counted } from './findings.mjs';
import { present } from './size.mjs';

/**
 * @typedef {import('./history.mjs').History} History
 * @typedef {import('./measure.mjs').Measures} Measures
 * @typedef {import('./measure.mjs').FileRow} FileRow
 * @typedef {FileRow & { commits: number, changed: number, score: number }} Hotspot
 */

/**
 * Where change and complexity meet: a file that is hard and changes often is where the next fault
 * will be (Tornhill, "Your Code as a Crime Scene", 2015). Score: commits × complexity.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 */
export function hotspots(ctx) {
  /** @type {{ history: History, measures: (Measures | null)[] }} */
  const { history, measures } = inputOf(ctx);
  if (!history.available)
    return aspectOutput('hotspots', {
      examined: 'nothing',
      findings: [],
      notes: [`No churn: ${history.reason}.`],
    });
  const rows = ranked(
    history,
    present(measures).flatMap((shard) => shard.files),
  );
  return aspectOutput('hotspots', {
    examined: `${counted(history.commits, 'commit')} (${history.window})`,
    findings: rows.filter(isNotable).slice(0, 10).map(hotspotFinding),
    tables: [hotspotTable(rows), churnTable(history)],
    metrics: { commits: history.commits, changed_files: history.changedFiles },
    notes: [
      ...(history.reason === '' ? [] : [`History is partial: ${history.reason}.`]),
      ...(history.commits < 10
        ? [`Only ${counted(history.commits, 'commit')}: churn says little yet.`]
        : []),
      'Renames are not followed: a file moved recently shows only the changes since.',
    ],
  });
}

/**
 * @param {History} history
 * @param {readonly FileRow[]} files
 * @returns {Hotspot[]}
 */
function ranked(history, files) {
  const churn = new Map(history.files.map((row) => [row.file, row]));
  return files
    .map((file) => {
      const row = churn.get(file.file);
      const commits = row?.commits ?? 0;
      return {
        ...file,
        commits,
        changed: (row?.added ?? 0) + (row?.deleted ?? 0),
        score: commits * file.complexity,
      };
    })
    .filter((file) => file.score > 0)
    .sort((a, b) => b.score - a.score || byText(a.file, b.file));
}

/** @param {Hotspot} row */
function isNotable(row) {
  return row.commits >= 8 && row.complexity >= 40 && (row.worst?.complexity ?? 0) >= 10;
}

/** @param {Hotspot} row */
function hotspotFinding(row) {
  const severe = row.commits >= 20 && (row.worst?.complexity ?? 0) >= 20;
  return {
    rule: 'hotspot',
    severity: severe ? /** @type {const} */ ('medium') : /** @type {const} */ ('low'),
    confidence: /** @type {const} */ ('medium'),
    title: `Changed in ${counted(row.commits, 'commit')} and complex (${row.complexity}); hardest part: ${row.worst?.name ?? '?'}`,
    file: row.file,
    line: row.worst?.line ?? 1,
    evidence: row.worst?.evidence ?? '',
    fix: 'Give it tests first, then split it: work here pays back soonest.',
  };
}

/** @param {readonly Hotspot[]} rows */
function hotspotTable(rows) {
  return {
    title: 'Hotspots',
    columns: ['file', 'commits', 'lines changed', 'complexity', 'score', 'hardest function'],
    rows: rows
      .slice(0, 15)
      .map((row) => [
        row.file,
        row.commits,
        row.changed,
        row.complexity,
        row.score,
        row.worst === null ? '' : `${row.worst.name} (line ${row.worst.line})`,
      ]),
  };
}

/** @param {History} history */
function churnTable(history) {
  return {
    title: 'Most changed files',
    columns: ['file', 'commits', 'added', 'deleted', 'authors'],
    rows: history.files
      .slice(0, 10)
      .map((row) => [row.file, row.commits, row.added, row.deleted, row.authors]),
  };
}
