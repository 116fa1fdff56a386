/**
 * Text of a stranger's repository in a page of ours: no markup, no control characters, one line.
 *
 * @typedef {import('./findings.mjs').Table} Table
 */

/** @param {string} text */
export function plain(text) {
  return text
    .replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ')
    .replace(/[<>]/g, (char) => (char === '<' ? '&lt;' : '&gt;'))
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|[*`[\]]/g, '\\$&');
}

/** @param {string} text */
export function code(text) {
  const clean = text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
  return clean === '' ? '' : clean.includes('`') ? `\`\` ${clean} \`\`` : `\`${clean}\``;
}

/** Paths, places and versions read better as code, and need no escapes there. */
const place = /^[\w./@+-]*[/._][\w./@+-]*(?::\d+)?$/;

/** @param {string} text */
function cellOf(text) {
  return place.test(text) && /[A-Za-z]/.test(text) ? code(text) : plain(text);
}

/**
 * @param {Pick<Table, 'columns' | 'rows'>} table
 * @param {(cell: string) => string} [show]
 */
export function tableLines({ columns, rows }, show = cellOf) {
  const row = (/** @type {readonly (string | number)[]} */ cells) =>
    `| ${cells.map((cell) => show(String(cell)).replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(columns), row(columns.map(() => '---')), ...rows.map(row)];
}

/** @param {...string} rows */
export function lines(...rows) {
  return `${rows.join('\n')}\n`;
}
