/**
 * What a path tells about a file: its language, how comments look in it, and its part in the project.
 *
 * @typedef {'c' | 'javascript' | 'python' | 'ruby' | 'hash' | 'dash' | 'html' | 'prose' | 'data'} Family
 * @typedef {'source' | 'test' | 'docs' | 'config' | 'generated' | 'vendored' | 'lock' | 'other'} Role
 */

/** @type {{ readonly [name: string]: { readonly family: Family, readonly extensions: string } }} */
const languages = {
  JavaScript: { family: 'javascript', extensions: 'js mjs cjs jsx' },
  TypeScript: { family: 'javascript', extensions: 'ts mts cts tsx' },
  Java: { family: 'c', extensions: 'java' },
  Kotlin: { family: 'c', extensions: 'kt kts' },
  Scala: { family: 'c', extensions: 'scala' },
  Groovy: { family: 'c', extensions: 'groovy gradle' },
  C: { family: 'c', extensions: 'c h' },
  'C++': { family: 'c', extensions: 'cc cpp cxx hpp hh hxx' },
  'C#': { family: 'c', extensions: 'cs' },
  Go: { family: 'c', extensions: 'go' },
  Rust: { family: 'c', extensions: 'rs' },
  Swift: { family: 'c', extensions: 'swift' },
  Dart: { family: 'c', extensions: 'dart' },
  PHP: { family: 'c', extensions: 'php' },
  Zig: { family: 'c', extensions: 'zig' },
  Python: { family: 'python', extensions: 'py pyi' },
  Ruby: { family: 'ruby', extensions: 'rb rake' },
  Elixir: { family: 'ruby', extensions: 'ex exs' },
  Shell: { family: 'hash', extensions: 'sh bash zsh' },
  Perl: { family: 'hash', extensions: 'pl pm' },
  SQL: { family: 'dash', extensions: 'sql' },
  Lua: { family: 'dash', extensions: 'lua' },
  Haskell: { family: 'dash', extensions: 'hs' },
  CSS: { family: 'c', extensions: 'css scss less' },
  HTML: { family: 'html', extensions: 'html htm xhtml' },
  Vue: { family: 'html', extensions: 'vue' },
  Svelte: { family: 'html', extensions: 'svelte' },
  XML: { family: 'html', extensions: 'xml svg xsd' },
  YAML: { family: 'hash', extensions: 'yaml yml' },
  TOML: { family: 'hash', extensions: 'toml' },
  INI: { family: 'hash', extensions: 'ini cfg conf properties env' },
  JSON: { family: 'data', extensions: 'json jsonc json5 jsonl webmanifest' },
  CSV: { family: 'data', extensions: 'csv tsv' },
  Markdown: { family: 'prose', extensions: 'md markdown mdx' },
  Text: { family: 'prose', extensions: 'txt rst adoc' },
};

/** Files of these languages hold settings or data, not behaviour. */
const settings = new Set(['YAML', 'TOML', 'INI', 'JSON', 'CSV', 'XML']);

const byExtension = new Map(
  Object.entries(languages).flatMap(([name, { family, extensions }]) =>
    extensions.split(' ').map((extension) => /** @type {const} */ ([extension, { name, family }])),
  ),
);

const byName = new Map([
  ['dockerfile', { name: 'Dockerfile', family: /** @type {Family} */ ('hash') }],
  ['makefile', { name: 'Makefile', family: /** @type {Family} */ ('hash') }],
  ['gemfile', { name: 'Ruby', family: /** @type {Family} */ ('ruby') }],
  ['rakefile', { name: 'Ruby', family: /** @type {Family} */ ('ruby') }],
  ['go.mod', { name: 'Text', family: /** @type {Family} */ ('prose') }],
  ['license', { name: 'Text', family: /** @type {Family} */ ('prose') }],
  ['readme', { name: 'Text', family: /** @type {Family} */ ('prose') }],
  ['.npmrc', { name: 'INI', family: /** @type {Family} */ ('hash') }],
  ['.env', { name: 'INI', family: /** @type {Family} */ ('hash') }],
]);

const binaryExtensions = new Set(
  (
    'png jpg jpeg gif webp avif ico bmp tiff pdf zip gz tgz bz2 xz zst 7z rar jar war class so dylib dll exe o a ' +
    'wasm woff woff2 ttf otf eot mp3 mp4 mov avi webm ogg wav flac sqlite db bin dat pyc psd sketch node p12 pfx jks'
  ).split(' '),
);

const lockNames = new Set(
  'package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb poetry.lock pipfile.lock uv.lock pdm.lock cargo.lock go.sum composer.lock gemfile.lock'.split(
    ' ',
  ),
);

/** @param {string} path */
export function baseName(path) {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** @param {string} path The folder of a path; empty for the root. */
export function folderOf(path) {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** @param {string} path The extension in lower case, without its dot; empty when there is none. */
export function extensionOf(path) {
  const name = baseName(path).toLowerCase();
  const dot = name.lastIndexOf('.');
  return dot < 1 ? '' : name.slice(dot + 1);
}

/**
 * The language of a path, or undefined when its name does not tell.
 *
 * @param {string} path
 */
export function languageOf(path) {
  return byExtension.get(extensionOf(path)) ?? byName.get(baseName(path).toLowerCase());
}

/** @param {string} path */
export function isBinaryName(path) {
  return binaryExtensions.has(extensionOf(path));
}

/** @param {string} path */
export function isLockFile(path) {
  return lockNames.has(baseName(path).toLowerCase());
}

const vendoredFolder =
  /(^|\/)(node_modules|vendor|third[_-]party|bower_components|\.yarn|Pods|\.venv)\//;
const generatedPath =
  /(^|\/)(dist|coverage|generated|__generated__|__snapshots__)\/|\.min\.(js|css)$|\.bundle\.js$|\.(map|snap)$|[._]pb2?\.(go|py)$/;
const testPath =
  /(^|\/)(tests?|__tests__|specs?|e2e|fixtures?|testdata|__mocks__)\/|[._-](test|spec)s?\.[^/]+$|(^|\/)test_[^/]+\.py$|(^|\/)[^/]+Tests?\.(java|kt|cs|swift|scala)$/;
const samplePath =
  /(^|\/)(fixtures?|testdata|examples?|samples?|demos?|mocks?|__mocks__|docs?)\/|\.(example|sample|template|dist)$/;

/**
 * The part that a file plays.
 *
 * @param {string} path
 * @returns {Role}
 */
export function roleOf(path) {
  if (vendoredFolder.test(path)) return 'vendored';
  if (isLockFile(path)) return 'lock';
  if (generatedPath.test(path)) return 'generated';
  return roleByLanguage(path);
}

/**
 * @param {string} path
 * @returns {Role}
 */
function roleByLanguage(path) {
  const language = languageOf(path);
  if (language === undefined) return 'other';
  if (language.family === 'prose') return 'docs';
  if (settings.has(language.name)) return 'config';
  return testPath.test(path) ? 'test' : 'source';
}

/**
 * True for files whose content is there to be looked at, not run: what is found there weighs less.
 *
 * @param {string} path
 */
export function isSample(path) {
  return testPath.test(path) || samplePath.test(path);
}

/** @param {string} path True for JavaScript and TypeScript. */
export function isScript(path) {
  return languageOf(path)?.family === 'javascript';
}
