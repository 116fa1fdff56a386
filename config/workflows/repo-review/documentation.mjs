import { lstat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { eachItem, inputOf, rounded } from './context.mjs';
import { isText, linesOf, readText } from './files.mjs';
import { aspectOutput, counted } from './findings.mjs';
import { baseName, folderOf, isSample, isScript, languageOf, roleOf } from './languages.mjs';
import { evidenceOf } from './redact.mjs';

/**
 * @typedef {{ file: string, line: number, target: string, evidence: string }} Link
 * @typedef {{ pages: number, words: number, links: number, broken: Link[] }} Pages
 * @typedef {{ exports: number, documented: number, files: Map<string, { exports: number, bare: number }> }} Exports
 */

const readmeParts = /** @type {const} */ ([
  ['what it is', /(?:\S+\s+){12}\S/],
  [
    'installing',
    /\b(?:install|setup|set up|getting started|quick ?start|npm i\b|pip install|go get|cargo add)/i,
  ],
  ['using it', /\b(?:usage|use|example|quick ?start|how to|tour)\b/i],
  ['developing', /\b(?:develop|contribut|build|test)/i],
  ['licence', /\blicen[cs]e/i],
]);

/**
 * Whether a newcomer finds their way: README, links that lead nowhere, exports without a comment.
 *
 * @param {import('./context.mjs').TaskContext} ctx
 */
export async function documentation(ctx) {
  /** @type {{ root: string, files: string[] }} */
  const { root, files } = inputOf(ctx);
  const readme = files.find((path) => /^readme(\.\w+)?$/i.test(path));
  const parts = readme === undefined ? [] : await readmeHas(root, readme);
  const pages = await readPages(
    ctx,
    root,
    files.filter((path) => languageOf(path)?.name === 'Markdown'),
  );
  const exports = await readExports(
    ctx,
    root,
    files.filter((path) => roleOf(path) === 'source' && !isSample(path)),
  );
  return aspectOutput('documentation', {
    examined: `${counted(pages.pages, 'page')} with ${counted(pages.links, 'relative link')}, ${counted(exports.exports, 'public export')}`,
    findings: [...readmeFindings(readme, parts, files.length), ...pages.broken.map(brokenFinding)],
    tables: [overview(readme, parts, { pages, exports }), bareTable(exports)],
    metrics: {
      readme: readme === undefined ? 0 : 1,
      readme_parts: parts.length,
      broken_links: pages.broken.length,
      exports: exports.exports,
      documented: exports.documented,
      pages: pages.pages,
    },
    notes: [
      'Links to the web were not followed. Exports are those of JavaScript, TypeScript and Python.',
    ],
  });
}

/** Commands that bring a program or its parts onto a machine; `$` and a wrapper such as sudo may stand before them. */
const installCommand = new RegExp(
  `^\\s*(?:[$>%#]\\s+)?(?:sudo\\s+|python3?\\s+-m\\s+)*(?:${[
    '(?:npm|pnpm|yarn|bun)\\s+(?:ci|i|add|install)',
    'yarn\\s*$',
    '(?:npx|bunx|pipx|uvx)\\s+\\S',
    '(?:pip3?|uv|poetry|conda|gem|bundle|composer|brew|apt|apt-get|dnf|apk|go|dotnet|make)\\s+(?:-\\S+\\s+)*(?:pip\\s+)?(?:install|add|get|sync|restore)',
    'cargo\\s+(?:install|add|build|run)',
    'docker(?:\\s+|-)(?:run|pull|build|compose)',
    '(?:mvn|gradle|\\./gradlew|\\./mvnw)\\s+\\S',
    'git\\s+clone\\s+\\S',
    'curl\\s.*\\|\\s*(?:ba)?sh',
  ].join('|')})`,
  'i',
);

/**
 * @param {string} root
 * @param {string} readme
 */
async function readmeHas(root, readme) {
  const file = await readText(root, readme);
  if (!isText(file)) return [];
  const installs = codeLinesOf(file.text).some((line) => installCommand.test(line));
  return readmeParts
    .filter(([name, pattern]) => pattern.test(file.text) || (name === 'installing' && installs))
    .map(([name]) => name);
}

/** @param {string} text Of Markdown: what stands in a fence or is indented as code. */
function codeLinesOf(text) {
  let fence = '';
  return linesOf(text).filter((line) => {
    const mark = fenceOf(line);
    if (mark !== '' && (fence === '' || fence === mark)) {
      fence = fence === '' ? mark : '';
      return false;
    }
    return fence !== '' || /^(?: {4}|\t)/.test(line);
  });
}

/** @param {string} line The kind of fence that it opens or closes; empty: none. */
function fenceOf(line) {
  return /^\s*(`{3,}|~{3,})/.exec(line)?.[1]?.slice(0, 3) ?? '';
}

/**
 * @param {import('./context.mjs').TaskContext} ctx
 * @param {string} root
 * @param {readonly string[]} paths
 */
async function readPages(ctx, root, paths) {
  /** @type {Pages} */
  const pages = { pages: 0, words: 0, links: 0, broken: [] };
  await eachItem(ctx, paths, async (path) => {
    const file = await readText(root, path, { signal: ctx.signal });
    if (!isText(file)) return;
    pages.pages += 1;
    pages.words += file.text.split(/\s+/).length;
    for (const link of linksIn(path, file.text)) {
      pages.links += 1;
      if (!(await exists(root, path, link.target))) pages.broken.push(link);
    }
  });
  return pages;
}

/** Characters of a line that are searched for links. */
const maxLine = 4000;

const inlineLink =
  /!?\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+["'][^)]*)?\)|^\s{0,3}\[[^\]\n]+\]:\s*<?(\S+?)>?\s*(?:["'].*)?$|<(?:a|img)\s[^>]*\b(?:href|src)=["']([^"']+)["']/g;

/**
 * Relative links of a page; what stands in code is not a link.
 *
 * @param {string} path
 * @param {string} text
 * @returns {Link[]}
 */
function linksIn(path, text) {
  let fence = '';
  return linesOf(text).flatMap((line, index) => {
    const mark = fenceOf(line);
    if (mark !== '' && (fence === '' || fence === mark)) fence = fence === '' ? mark : '';
    if (fence !== '' || mark !== '') return [];
    const targets = [
      ...line
        .slice(0, maxLine)
        .replace(/`[^`]*`/g, '')
        .matchAll(inlineLink),
    ].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
    return targets
      .filter(isLocal)
      .map((target) => ({ file: path, line: index + 1, target, evidence: evidenceOf(line) }));
  });
}

/** @param {string} target No address, no place in the page itself, no template, no footnote. */
function isLocal(target) {
  return (
    target !== '' &&
    !/^(?:[a-z][a-z0-9+.-]*:|\/\/|#|\{|\$|<|\^)/i.test(target) &&
    /[./]/.test(target)
  );
}

/**
 * @param {string} root
 * @param {string} page
 * @param {string} target
 */
async function exists(root, page, target) {
  const clean = decoded(target.replace(/[?#].*$/, ''));
  const path = clean.startsWith('/') ? clean.slice(1) : posix.join(folderOf(page), clean);
  /* A link that leaves the repository goes to the website's pages around it: not ours to judge. */
  if (path.startsWith('..') || path === '') return true;
  return (await lstat(join(root, path)).catch(() => undefined)) !== undefined;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const scriptExport =
  /^export\s+(?:declare\s+)?(?:default\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|class|const|let|interface|type|enum)\s+([A-Za-z_$][\w$]*)/;
const pythonExport = /^(?:async\s+)?(?:def|class)\s+([A-Za-z]\w*)/;

/**
 * @param {import('./context.mjs').TaskContext} ctx
 * @param {string} root
 * @param {readonly string[]} paths
 */
async function readExports(ctx, root, paths) {
  /** @type {Exports} */
  const exports = { exports: 0, documented: 0, files: new Map() };
  await eachItem(ctx, paths, async (path) => {
    const python = languageOf(path)?.name === 'Python';
    if (!python && !isScript(path)) return;
    const file = await readText(root, path, { signal: ctx.signal });
    if (isText(file)) countExports(exports, path, { lines: linesOf(file.text), python });
  });
  return exports;
}

/**
 * @param {Exports} exports
 * @param {string} path
 * @param {{ readonly lines: readonly string[], readonly python: boolean }} source
 */
function countExports(exports, path, { lines, python }) {
  let count = 0;
  let documented = 0;
  for (const [index, line] of lines.entries()) {
    if (!(python ? pythonExport : scriptExport).test(line)) continue;
    count += 1;
    if (python ? hasDocString(lines, index) : hasComment(lines, index)) documented += 1;
  }
  exports.exports += count;
  exports.documented += documented;
  if (count > documented) exports.files.set(path, { exports: count, bare: count - documented });
}

/**
 * @param {readonly string[]} lines
 * @param {number} index
 */
function hasComment(lines, index) {
  let above = index - 1;
  while (/^\s*@/.test(lines[above] ?? '')) above -= 1;
  return /\*\/\s*$|^\s*\/\//.test(lines[above] ?? '');
}

/**
 * @param {readonly string[]} lines
 * @param {number} index
 */
function hasDocString(lines, index) {
  const end = lines.findIndex(
    (line, at) => at >= index && at < index + 12 && /:\s*(?:#.*)?$/.test(line),
  );
  return (
    end >= 0 &&
    /^\s*[rubf]*(?:"""|''')/i.test(lines.slice(end + 1).find((line) => line.trim() !== '') ?? '')
  );
}

/**
 * @param {string | undefined} readme
 * @param {readonly string[]} parts
 * @param {number} files
 */
function readmeFindings(readme, parts, files) {
  const base = { confidence: /** @type {const} */ ('high'), line: null, evidence: '' };
  if (files === 0) return [];
  if (readme === undefined)
    return [
      {
        ...base,
        rule: 'no-readme',
        severity: /** @type {const} */ ('medium'),
        title: 'No README at the root',
        file: null,
        fix: 'Say what it is, how to install and how to use it.',
      },
    ];
  const missing = readmeParts.map(([name]) => name).filter((name) => !parts.includes(name));
  if (missing.length === 0) return [];
  return [
    {
      ...base,
      rule: 'readme-part',
      severity: /** @type {const} */ ('low'),
      confidence: /** @type {const} */ ('medium'),
      title: `${readme} says nothing about: ${missing.join(', ')}`,
      file: readme,
      fix: 'A few lines each.',
    },
  ];
}

/** @param {Link} link */
function brokenFinding(link) {
  return {
    rule: 'broken-link',
    severity:
      isSample(link.file) && !link.file.startsWith('docs/')
        ? /** @type {const} */ ('low')
        : /** @type {const} */ ('medium'),
    confidence: /** @type {const} */ ('high'),
    title: `Links to ${link.target}, which does not exist`,
    file: link.file,
    line: link.line,
    evidence: link.evidence,
    fix: 'Point it at the right file, or remove it.',
  };
}

/**
 * @param {string | undefined} readme
 * @param {readonly string[]} parts
 * @param {{ readonly pages: Pages, readonly exports: Exports }} counts
 */
function overview(readme, parts, { pages, exports }) {
  const share =
    exports.exports === 0
      ? '–'
      : `${rounded((100 * exports.documented) / exports.exports, 0)} % of ${exports.exports}`;
  return {
    title: 'Documentation',
    columns: ['what', 'value'],
    rows: [
      [
        'README',
        readme === undefined
          ? 'missing'
          : `${baseName(readme)}: ${parts.join(', ') || 'nearly empty'}`,
      ],
      ['pages', `${pages.pages} (${pages.words} words)`],
      ['relative links', `${pages.links}, ${pages.broken.length} of them broken`],
      ['public exports with a comment', share],
    ],
  };
}

/** @param {Exports} exports */
function bareTable(exports) {
  const rows = [...exports.files]
    .sort(([a, x], [b, y]) => y.bare - x.bare || (a < b ? -1 : 1))
    .slice(0, 10);
  return {
    title: 'Files with the most exports without a comment',
    columns: ['file', 'without', 'exports'],
    rows: rows.map(([path, row]) => [path, row.bare, row.exports]),
  };
}
