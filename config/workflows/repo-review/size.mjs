import { byText, inputOf, rounded } from './context.mjs';
import { aspectOutput, counted } from './findings.mjs';
import { added, byComplexity, noLines, thresholds } from './measure.mjs';

/**
 * @typedef {import('./context.mjs').TaskContext} TaskContext
 * @typedef {import('./measure.mjs').Measures} Measures
 * @typedef {import('./measure.mjs').FunctionRow} FunctionRow
 */

/**
 * Size and complexity of the whole, from the measures of the shards. A shard that failed is a gap in
 * the list (null) and is told as such.
 *
 * @param {TaskContext} ctx
 */
export function size(ctx) {
  /** @type {{ measures: (Measures | null)[], expected: number }} */
  const input = inputOf(ctx);
  const shards = present(input.measures);
  const functions = shards.flatMap((shard) => shard.functions).sort(byComplexity);
  const source = shards.map((shard) => shard.roles.source).reduce(added, noLines());
  const test = shards.map((shard) => shard.roles.test).reduce(added, noLines());
  const examined = sum(shards, (shard) => shard.examined);
  const over = sum(shards, (shard) => shard.over.long + shard.over.complex + shard.over.nested);
  const notable = functions.filter(isOver);
  return aspectOutput('size', {
    examined: `${examined} of ${counted(input.expected, 'file')}, ${source.functions + test.functions} functions`,
    findings: [...notable.map(functionFinding), ...markerFindings(shards)],
    total: new Set(notable).size + sum(shards, (shard) => shard.markers.count),
    tables: [languageTable(shards), functionTable(functions), markerTable(shards)],
    metrics: {
      code_lines: source.code,
      comment_lines: source.comment,
      test_lines: test.code,
      source_files: source.files,
      functions: source.functions,
      functions_over: over,
      markers: sum(shards, (shard) => shard.markers.count),
    },
    notes: notesOf(shards, input),
  });
}

/** @param {readonly (Measures | null)[] | null} measures */
export function present(measures) {
  return (measures ?? []).filter((shard) => shard !== null);
}

/**
 * @param {readonly Measures[]} shards
 * @param {(shard: Measures) => number} of
 */
function sum(shards, of) {
  return shards.reduce((total, shard) => total + of(shard), 0);
}

/** @param {FunctionRow} row */
function isOver(row) {
  return (
    row.lines > thresholds.lines ||
    row.complexity > thresholds.complexity ||
    row.nesting > thresholds.nesting
  );
}

/** @param {FunctionRow} row */
function functionFinding(row) {
  const parts = [
    row.complexity > thresholds.complexity ? `complexity ${row.complexity}` : '',
    row.lines > thresholds.lines ? `${row.lines} lines` : '',
    row.nesting > thresholds.nesting ? `${row.nesting} levels of nesting` : '',
  ].filter((part) => part !== '');
  const severe = row.complexity > 2 * thresholds.complexity || row.lines > 3 * thresholds.lines;
  return {
    rule: 'hard-function',
    severity: severe ? /** @type {const} */ ('medium') : /** @type {const} */ ('low'),
    confidence: /** @type {const} */ ('medium'),
    title: `${row.name}: ${parts.join(', ')}`,
    file: row.file,
    line: row.line,
    evidence: row.evidence,
    fix: 'Split it along its branches; name each part for what it decides.',
  };
}

/** @param {readonly Measures[]} shards */
function markerFindings(shards) {
  return shards
    .flatMap((shard) => shard.markers.rows)
    .filter((marker) => marker.word !== 'TODO')
    .map((marker) => ({
      rule: 'marker',
      severity: /** @type {const} */ ('low'),
      confidence: /** @type {const} */ ('high'),
      title: `${marker.word} left in the code`,
      file: marker.file,
      line: marker.line,
      evidence: marker.evidence,
      fix: 'Do it, or turn it into an issue with an owner.',
    }));
}

/** @param {readonly Measures[]} shards */
function languageTable(shards) {
  /** @type {{ [language: string]: import('./measure.mjs').Lines }} */
  const all = {};
  for (const shard of shards) {
    for (const [name, lines] of Object.entries(shard.languages))
      all[name] = added(all[name] ?? noLines(), lines);
  }
  const rows = Object.entries(all)
    .sort(([a, x], [b, y]) => y.code - x.code || byText(a, b))
    .slice(0, 15)
    .map(([name, lines]) => [
      name,
      lines.files,
      lines.code,
      lines.comment,
      lines.blank,
      lines.functions,
    ]);
  return {
    title: 'Languages',
    columns: ['language', 'files', 'code', 'comment', 'blank', 'functions'],
    rows,
  };
}

/** @param {readonly FunctionRow[]} functions */
function functionTable(functions) {
  const rows = functions
    .slice(0, 15)
    .map((row) => [`${row.file}:${row.line}`, row.name, row.complexity, row.lines, row.nesting]);
  return {
    title: 'Hardest functions',
    columns: ['place', 'function', 'complexity', 'lines', 'nesting'],
    rows,
  };
}

/** @param {readonly Measures[]} shards */
function markerTable(shards) {
  const rows = shards
    .flatMap((shard) => shard.markers.rows)
    .sort((a, b) => byText(a.file, b.file) || a.line - b.line);
  return {
    title: 'Markers (TODO, FIXME, HACK, XXX)',
    columns: ['place', 'what it says'],
    rows: rows.slice(0, 15).map((row) => [`${row.file}:${row.line}`, row.evidence]),
  };
}

/**
 * @param {readonly Measures[]} shards
 * @param {{ measures: (Measures | null)[], expected: number }} input
 */
function notesOf(shards, input) {
  const lost = (input.measures ?? []).length - shards.length;
  const missing = input.expected - sum(shards, (shard) => shard.examined);
  const unread = shards.flatMap((shard) => shard.unread);
  const broken = shards.flatMap((shard) => shard.broken);
  return [
    ...(lost > 0
      ? [
          `${counted(lost, 'shard')} of the files did not finish, so totals are too low by about ${rounded((100 * missing) / Math.max(1, input.expected), 0)} %.`,
        ]
      : []),
    ...unread.slice(0, 10).map((file) => `${file.file}: ${file.reason}.`),
    ...(broken.length > 0
      ? [`Text that is not valid UTF-8 was read with gaps: ${broken.slice(0, 5).join(', ')}.`]
      : []),
  ];
}
