import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { wordsOf } from './command-line.ts';
import type { DocumentPath, FaultList } from './fault.ts';
import { moduleOf } from './normalise-policies.ts';
import type { CheckedDocument } from './schema/check.ts';

/** A file that the document names. */
interface NamedFile {
  readonly file: string;
  readonly path: DocumentPath;
}

/** Programs whose first argument is a file, unless it is an option. */
const interpreters: ReadonlySet<string> = new Set([
  'bash',
  'bun',
  'deno',
  'node',
  'perl',
  'python',
  'python3',
  'ruby',
  'sh',
  'tsx',
  'zsh',
]);

/** Warns of modules and programs that are not where a document in a file says: it may be run before they are. */
export async function checkFiles(
  document: CheckedDocument,
  baseDir: string,
  faults: FaultList,
): Promise<void> {
  const named = [...filesOf(document)];
  const there = await Promise.all(named.map(({ file }) => isThere(resolve(baseDir, file))));
  for (const [index, { file, path }] of named.entries()) {
    if (there[index]) continue;
    const hint = `Paths start at the document's folder. It is looked for when the task runs.`;
    faults.warn('TRP_WORKFLOW_MODULE', `there is no file ${file}`, { path, hint });
  }
}

function* filesOf(document: CheckedDocument): Iterable<NamedFile> {
  for (const section of ['agents', 'tasks'] as const) {
    for (const [id, entry] of Object.entries(document[section] ?? {})) {
      yield* moduleAt(entry.module, [section, id, 'module']);
      yield* programAt(entry.command, [section, id, 'command']);
    }
  }
  for (const section of ['groups', 'tasks'] as const) {
    for (const [id, { aggregate }] of Object.entries(document[section] ?? {})) {
      if (typeof aggregate === 'object')
        yield* moduleAt(aggregate.function, [section, id, 'aggregate', 'function']);
    }
  }
  for (const [index, { aggregate }] of (document.tiers ?? []).entries()) {
    if (typeof aggregate === 'object')
      yield* moduleAt(aggregate.function, ['tiers', index, 'aggregate', 'function']);
  }
}

function* moduleAt(text: string | undefined, path: DocumentPath): Iterable<NamedFile> {
  if (text !== undefined && isRelative(text)) yield { file: moduleOf(text).module, path };
}

function* programAt(
  command: string | readonly string[] | undefined,
  path: DocumentPath,
): Iterable<NamedFile> {
  const [program = '', argument = ''] = wordsOf(command);
  if (isRelative(program)) yield { file: program, path };
  const isScript = isRelative(argument) || /^[\w-][\w./-]*\.[a-z]{1,4}$/i.test(argument);
  if (interpreters.has(program) && isScript && !argument.startsWith('-'))
    yield { file: argument, path };
}

function isRelative(text: string): boolean {
  return /^\.{1,2}[/\\]/.test(text);
}

/** Whether something is there; what cannot be looked at may be. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes((error as { code?: string }).code ?? '');
  }
}
