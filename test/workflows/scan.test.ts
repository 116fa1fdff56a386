import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cyclesOf, shortestLoop } from '../../config/workflows/repo-review/cycles.mjs';
import { functionsIn } from '../../config/workflows/repo-review/functions.mjs';
import { importsIn } from '../../config/workflows/repo-review/imports.mjs';
import { readManifest } from '../../config/workflows/repo-review/manifests.mjs';
import { evidenceOf, secretsIn } from '../../config/workflows/repo-review/redact.mjs';
import { scan } from '../../config/workflows/repo-review/scan.mjs';

type Family = Parameters<typeof scan>[1];

function functionsOf(text: string, family: Family = 'javascript') {
  return functionsIn(scan(text, family).code, family).functions;
}

describe('telling code from comments', () => {
  it.each<[Family, string, [number, number, number]]>([
    ['javascript', 'a();\n\n// b\n/* c\n d */ e();\nconst f = "// no";\n', [3, 2, 1]],
    ['javascript', 'const a = `one\n// two\n`;\nconst b = /[/"]/;\n// c\n', [4, 1, 0]],
    ['python', 'def a():\n    """Says\n    what."""\n    return "#"  # b\n', [2, 2, 0]],
    ['hash', '# a\nb: "#c"\n\n', [1, 1, 1]],
    ['c', "char a = '\"'; // b\nint c<'d>;\n", [2, 0, 0]],
    ['html', '<!-- a\n b -->\n<p>c</p>\n', [1, 2, 0]],
  ])('counts lines of %s', (family, text, counts) => {
    const { codeLines, commentLines, blankLines } = scan(text, family);
    expect([codeLines, commentLines, blankLines]).toEqual(counts);
  });

  it('keeps every line, whatever the text', () => {
    const families: readonly Family[] = [
      'javascript',
      'c',
      'python',
      'ruby',
      'hash',
      'dash',
      'html',
    ];
    const pieces = fc.constantFrom(
      '"',
      "'",
      '`',
      '/*',
      '*/',
      '//',
      '#',
      '"""',
      '\n',
      '\\',
      '/',
      '[',
      'x',
      '${',
      '}',
      '<!--',
      '-->',
    );
    fc.assert(
      fc.property(fc.array(pieces), fc.constantFrom(...families), (parts, family) => {
        const { raw, code } = scan(parts.join(''), family);
        expect(code.map((line) => line.length)).toEqual(raw.map((line) => line.length));
      }),
    );
  });

  it.each([
    ['openings of comments and strings', '/*"`\''],
    ['blanks', ' '],
    ['slashes after blanks', '      /'],
    ['opening braces', '{'],
    ['colons in a header', 'a() :: const '],
    ['arrows', 'a: b =>'],
    ['imports without a name', 'import '],
    ['triple quotes', '"""'],
  ])('does not choke on a hundred thousand characters of %s', (_name, piece) => {
    const text = piece.repeat(Math.ceil(100_000 / piece.length));
    for (const family of ['javascript', 'c', 'python', 'hash'] as const) {
      const scanned = scan(text, family);
      expect(scanned.raw).toHaveLength(1);
      functionsIn(scanned.code, family);
      importsIn(scanned);
    }
  });
});

describe('finding functions', () => {
  it('names functions, methods and arrows, and counts their own branches', () => {
    const text = `
export async function first({ a, b } = {}) {
  if (a && b) return 1;
  return list.map((item) => {
    for (const x of item) if (x) go(x);
  });
}
class Box {
  get(key) {
    return key ? 1 : 2;
  }
}
const second = (value) => {
  promise.catch(value);
};
`;
    expect(
      functionsOf(text).map(({ name, line, lines, complexity }) => [name, line, lines, complexity]),
    ).toEqual([
      ['first', 2, 6, 3],
      ['anonymous', 4, 3, 3],
      ['get', 9, 3, 2],
      ['second', 13, 3, 1],
    ]);
  });

  it('measures nesting of control blocks within a function', () => {
    const text =
      'function deep() {\n  if (a) {\n    while (b) {\n      try {\n        c();\n      } catch {}\n    }\n  }\n}\n';
    expect(functionsOf(text)).toMatchObject([{ name: 'deep', nesting: 3 }]);
  });

  it.each<[Family, string, string]>([
    ['c', 'func (s *Server) Serve(w Writer) (int, error) {\n}\n', 'Serve'],
    ['c', 'pub fn parse<T>(text: &str) -> Result<T> where T: Copy {\n}\n', 'parse'],
    ['c', 'public static int main(String[] args) throws IOException {\n}\n', 'main'],
    ['c', 'void Box::open(int key) const {\n}\n', 'open'],
    ['javascript', 'export function typed(a: string): { b: number } {\n}\n', 'typed'],
    ['javascript', 'function bound<T extends { a: string }>(x: T) {\n}\n', 'bound'],
    ['hash', 'deploy() {\n  echo\n}\n', 'deploy'],
    ['python', 'async def load(self):\n    pass\n', 'load'],
    ['ruby', 'def self.build!(x)\n  x\nend\n', 'build!'],
  ])('finds a function in %s: %s', (family, text, name) => {
    expect(functionsOf(text, family).map((found) => found.name)).toEqual([name]);
  });

  it('takes loops, classes and objects for what they are', () => {
    const text =
      'class A {}\nfor (const a of b) {}\nconst c = { d: call() };\nif (e) {} else if (f()) {}\nswitch (g()) {}\n';
    expect(functionsOf(text)).toEqual([]);
  });

  it('ends a python function where its indentation ends', () => {
    const text = 'def a(x):\n    if x and x:\n        return 1\n\n    return 2\n\nb = 1\n';
    expect(functionsOf(text, 'python')).toEqual([
      { name: 'a', line: 1, lines: 5, complexity: 3, nesting: 1 },
    ]);
  });
});

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const token = fc
  .array(fc.constantFrom(...alphabet.split('')), { minLength: 36, maxLength: 36 })
  .map((chars) => chars.join(''));

describe('redaction', () => {
  it.each([
    'ghp_',
    'glpat-',
    'xoxb-',
    'sk_live_',
    'npm_',
    'password = "',
    'AWS_SECRET_ACCESS_KEY=',
    'postgres://app:',
  ])('never shows what follows %s', (prefix) => {
    fc.assert(
      fc.property(token, (secret) => {
        expect(
          evidenceOf(`const a = ${prefix}${secret}${prefix.endsWith(':') ? '@host' : ''}`),
        ).not.toContain(secret);
      }),
    );
  });

  it('cuts after redacting, so that no cut leaves half a secret', () => {
    const secret = `ghp_${'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6'}`;
    for (const pad of [100, 120, 130, 139])
      expect(evidenceOf(`${'x '.repeat(pad / 2)}${secret}`)).not.toContain(secret.slice(4, 12));
  });

  it.each([
    'const token = readToken(request);',
    'password: string;',
    'apiKey = process.env.API_KEY',
    "secret: 'changeme-please'",
    'token = "${TOKEN}"',
    'const tokenKind = previousToken.kind;',
  ])('takes %s for no secret', (line) => {
    expect(secretsIn(line)).toEqual([]);
  });

  it('leaves names and paths readable', () => {
    const line = "import { convertBase64ToUint8Array } from './v4/classic/from-json-schema.ts';";
    expect(evidenceOf(line)).toBe(line);
  });
});

describe('imports and cycles', () => {
  it('reads imports over several lines and skips those in comments and strings', () => {
    const text =
      "import type { A } from './a.ts';\nimport {\n  b,\n} from './b.ts';\n// import './c.ts';\nconst d = \"import './d.ts'\";\nawait import('./e.ts');\nexport * from './f.ts';\n";
    const found = importsIn(scan(text, 'javascript'));
    expect(
      found.map(({ specifier, line, typeOnly, lazy }) => [specifier, line, typeOnly, lazy]),
    ).toEqual([
      ['./a.ts', 1, true, false],
      ['./b.ts', 4, false, false],
      ['./e.ts', 7, false, true],
      ['./f.ts', 8, false, false],
    ]);
  });

  it('finds exactly the nodes that can reach themselves', () => {
    const node = fc.integer({ min: 0, max: 7 }).map(String);
    fc.assert(
      fc.property(fc.array(fc.tuple(node, node)), (pairs) => {
        const edges = new Map<string, string[]>();
        for (const [from, to] of pairs) edges.set(from, [...(edges.get(from) ?? []), to]);
        const inCycle = [...edges.keys()].filter((start) => reaches(edges, start)).toSorted();
        expect(cyclesOf(edges).flat().toSorted()).toEqual(inCycle);
      }),
    );
  });

  it('shows the shortest way around', () => {
    const edges = new Map([
      ['a', ['b', 'c']],
      ['b', ['c']],
      ['c', ['a']],
    ]);
    expect(shortestLoop(['a', 'b', 'c'], edges)).toEqual(['a', 'c', 'a']);
  });
});

function reaches(edges: ReadonlyMap<string, readonly string[]>, start: string): boolean {
  const seen = new Set<string>();
  const open = [...(edges.get(start) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === start) return true;
    if (!seen.has(next)) open.push(...(edges.get(next) ?? []));
    seen.add(next);
  }
  return false;
}

describe('manifests', () => {
  it.each([
    [
      'package.json',
      '{ "dependencies": { "a": "^1" }, "devDependencies": { "b": "*" } }',
      ['a ^1', 'b *'],
    ],
    [
      'requirements-dev.txt',
      '# x\na==1.0\nb[extra] >= 2 ; python_version > "3"\n-r other.txt\n',
      ['a ==1.0', 'b >= 2'],
    ],
    [
      'pyproject.toml',
      '[project]\ndependencies = [\n  "a>=1",\n  "b[x]",\n]\n[tool.poetry.dependencies]\npython = "3"\nc = "^1"\n',
      ['a >=1', 'b ', 'c ^1'],
    ],
    [
      'go.mod',
      'module m\n\ngo 1.22\n\nrequire (\n\tgithub.com/a/b v1.2.3\n\tgolang.org/x/c v0.1.0 // indirect\n)\n',
      ['github.com/a/b v1.2.3', 'golang.org/x/c v0.1.0'],
    ],
    [
      'Cargo.toml',
      '[package]\nname = "m"\n[dependencies]\na = "1"\nb = { version = "2", features = [] }\nc = { path = "../c" }\n',
      ['a 1', 'b 2', 'c workspace'],
    ],
    [
      'pom.xml',
      '<dependency><groupId>a</groupId><artifactId>b</artifactId><version>1</version></dependency>',
      ['a:b 1'],
    ],
  ])('reads %s', (path, text, expected) => {
    const { dependencies, fault } = readManifest(path, text);
    expect({ fault, read: dependencies.map(({ name, version }) => `${name} ${version}`) }).toEqual({
      fault: '',
      read: expected,
    });
  });

  it('says that it does not understand rather than guess', () => {
    expect(readManifest('package.json', '{ nonsense')).toMatchObject({
      dependencies: [],
      fault: 'not valid JSON',
    });
  });
});
