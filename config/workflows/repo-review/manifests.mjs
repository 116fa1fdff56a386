import { baseName } from './languages.mjs';
import { linesOf } from './files.mjs';

/**
 * Reading the files in which projects name what they depend on. Only as much of each format as is
 * needed for names, versions and licences; what cannot be read is told, never guessed.
 *
 * @typedef {{ name: string, version: string, line: number, scope: 'runtime' | 'development' }} Dependency
 * @typedef {{ ecosystem: string, dependencies: Dependency[], licence: string, isPrivate: boolean, fault: string }} Manifest
 */

/** @type {readonly (readonly [RegExp, string, (text: string) => Manifest])[]} */
const readers = [
  [/^package\.json$/, 'npm', readPackage],
  [/^requirements[\w.-]*\.txt$/, 'python', readRequirements],
  [/^pyproject\.toml$/, 'python', readPyproject],
  [/^go\.mod$/, 'go', readGoMod],
  [/^Cargo\.toml$/, 'cargo', readCargo],
  [/^pom\.xml$/, 'maven', readPom],
];

/** @param {string} path */
export function isManifest(path) {
  return readers.some(([name]) => name.test(baseName(path)));
}

/**
 * @param {string} path
 * @param {string} text
 * @returns {Manifest}
 */
export function readManifest(path, text) {
  const reader = readers.find(([name]) => name.test(baseName(path)));
  const empty = manifest(reader?.[1] ?? 'unknown', []);
  try {
    return reader === undefined ? empty : reader[2](text);
  } catch (thrown) {
    return {
      ...empty,
      fault:
        thrown instanceof Error && thrown.name === 'SyntaxError'
          ? 'not valid JSON'
          : 'not in the expected shape',
    };
  }
}

/** Lock files by the ecosystem that they belong to. */
export const locksOf = /** @type {{ readonly [ecosystem: string]: readonly string[] }} */ ({
  npm: [
    'package-lock.json',
    'npm-shrinkwrap.json',
    'yarn.lock',
    'pnpm-lock.yaml',
    'bun.lock',
    'bun.lockb',
  ],
  python: ['poetry.lock', 'Pipfile.lock', 'uv.lock', 'pdm.lock'],
  go: ['go.sum'],
  cargo: ['Cargo.lock'],
});

/**
 * @param {string} ecosystem
 * @param {Dependency[]} dependencies
 * @param {Partial<Manifest>} [rest]
 * @returns {Manifest}
 */
function manifest(ecosystem, dependencies, rest = {}) {
  return { ecosystem, dependencies, licence: '', isPrivate: false, fault: '', ...rest };
}

const packageScopes = /** @type {const} */ ([
  ['dependencies', 'runtime'],
  ['optionalDependencies', 'runtime'],
  ['devDependencies', 'development'],
]);

/** @param {string} text */
function readPackage(text) {
  /** @type {{ [key: string]: unknown }} */
  const json = JSON.parse(text.replace(/^\uFEFF/, ''));
  const lines = linesOf(text);
  const dependencies = packageScopes.flatMap(([key, scope]) =>
    packageBlock(json[key], lines, { key, scope }),
  );
  const licence = typeof json['license'] === 'string' ? json['license'] : '';
  return manifest('npm', dependencies, { licence, isPrivate: json['private'] === true });
}

/**
 * @param {unknown} block
 * @param {readonly string[]} lines
 * @param {{ readonly key: string, readonly scope: Dependency['scope'] }} kind
 * @returns {Dependency[]}
 */
function packageBlock(block, lines, { key, scope }) {
  if (typeof block !== 'object' || block === null) return [];
  const start = Math.max(
    0,
    lines.findIndex((line) => line.includes(`"${key}"`)),
  );
  return Object.entries(block).map(([name, version]) => {
    const found = lines.findIndex((line, index) => index >= start && line.includes(`"${name}"`));
    return { name, version: String(version), line: Math.max(0, found) + 1, scope };
  });
}

/** @param {string} text */
function readRequirements(text) {
  return manifest(
    'python',
    linesOf(text).flatMap((line, index) => requirement(line, index, 'runtime')),
  );
}

/**
 * @param {string} line
 * @param {number} index
 * @param {Dependency['scope']} scope
 * @returns {Dependency[]}
 */
function requirement(line, index, scope) {
  const text = line.replace(/(^|\s)#.*$/, '').trim();
  const match = /^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*([^;]*)/.exec(text);
  return match === null
    ? []
    : [{ name: match[1] ?? '', version: (match[2] ?? '').trim(), line: index + 1, scope }];
}

/** @param {string} text Both the standard's lists and poetry's tables. */
function readPyproject(text) {
  /** @type {Dependency[]} */
  const found = [];
  let table = '';
  let list = false;
  for (const [index, line] of linesOf(text).entries()) {
    table = /^\s*\[([^\]]+)\]\s*$/.exec(line)?.[1] ?? table;
    if (/^\s*dependencies\s*=\s*\[/.test(line) && table === 'project') list = true;
    const entries = list
      ? [...line.matchAll(/"([^"]+)"|'([^']+)'/g)].flatMap((match) =>
          requirement(match[1] ?? match[2] ?? '', index, 'runtime'),
        )
      : poetryEntry(line, index, table);
    found.push(...entries);
    if (list && /\](?!.*["'])\s*,?\s*$/.test(line.replace(/\[[^\]"']*\]/g, ''))) list = false;
  }
  return manifest('python', found, {
    licence: /^license\s*=\s*(?:\{\s*text\s*=\s*)?["']([^"']+)/m.exec(text)?.[1] ?? '',
  });
}

/**
 * @param {string} line
 * @param {number} index
 * @param {string} table
 * @returns {Dependency[]}
 */
function poetryEntry(line, index, table) {
  if (!/^tool\.poetry\.(?:group\.\w+\.)?(?:dev-)?dependencies$/.test(table)) return [];
  const match = /^\s*([\w.-]+)\s*=\s*(.+)$/.exec(line);
  if (match === null || match[1] === 'python') return [];
  const version =
    /version\s*=\s*["']([^"']*)/.exec(match[2] ?? '')?.[1] ??
    /^["']([^"']*)/.exec(match[2] ?? '')?.[1] ??
    '';
  return [
    {
      name: match[1] ?? '',
      version,
      line: index + 1,
      scope: /dev|group/.test(table) ? 'development' : 'runtime',
    },
  ];
}

/** @param {string} text */
function readGoMod(text) {
  const dependencies = linesOf(text).flatMap((line, index) => {
    const match = /^\s*(?:require\s+)?([\w.-]+\.[\w.-]+\/[\w./-]+|[\w-]+\.[\w.-]+)\s+(v\S+)/.exec(
      line,
    );
    return match === null
      ? []
      : [
          {
            name: match[1] ?? '',
            version: match[2] ?? '',
            line: index + 1,
            scope: /** @type {const} */ ('runtime'),
          },
        ];
  });
  return manifest('go', dependencies);
}

/** @param {string} text */
function readCargo(text) {
  let table = '';
  const dependencies = linesOf(text).flatMap((line, index) => {
    table = /^\s*\[([^\]]+)\]/.exec(line)?.[1] ?? table;
    const match = /^\s*([\w-]+)\s*=\s*(.+)$/.exec(line);
    if (match === null || !/(^|\.)(?:dev-|build-)?dependencies$/.test(table)) return [];
    return [
      {
        name: match[1] ?? '',
        version: cargoVersion(match[2] ?? ''),
        line: index + 1,
        scope: table.includes('dev-')
          ? /** @type {const} */ ('development')
          : /** @type {const} */ ('runtime'),
      },
    ];
  });
  return manifest('cargo', dependencies, {
    licence: /^license\s*=\s*"([^"]+)"/m.exec(text)?.[1] ?? '',
  });
}

/** @param {string} value A path or a workspace pins by itself. */
function cargoVersion(value) {
  if (/\b(?:path|workspace)\s*=/.test(value)) return 'workspace';
  return /version\s*=\s*"([^"]*)"/.exec(value)?.[1] ?? /^"([^"]*)"/.exec(value)?.[1] ?? '';
}

/** @param {string} text */
function readPom(text) {
  const dependencies = [...text.matchAll(/<dependency>([\s\S]{0,4000}?)<\/dependency>/g)].map(
    (match) => {
      const block = match[1] ?? '';
      const name = `${tag(block, 'groupId')}:${tag(block, 'artifactId')}`;
      const line = linesOf(text.slice(0, match.index)).length;
      /* Without a version of its own it is managed by the parent. */
      return {
        name,
        version: tag(block, 'version') || 'managed',
        line,
        scope:
          tag(block, 'scope') === 'test'
            ? /** @type {const} */ ('development')
            : /** @type {const} */ ('runtime'),
      };
    },
  );
  return manifest('maven', dependencies, {
    licence: /<license>[\s\S]{0,2000}?<name>([^<]+)/.exec(text)?.[1]?.trim() ?? '',
  });
}

/**
 * @param {string} block
 * @param {string} name
 */
function tag(block, name) {
  return new RegExp(`<${name}>\\s*([^<]*?)\\s*</${name}>`).exec(block)?.[1] ?? '';
}
