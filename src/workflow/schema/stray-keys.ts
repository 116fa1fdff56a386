import type { DocumentPath, FaultList } from '../fault.ts';
import { keysOfBlock } from './block.ts';

/** Sections that hold named blocks, and the kind of block. */
const blockOfSection: { readonly [section: string]: string } = {
  tasks: 'task',
  agents: 'agent',
  groups: 'group',
};

/** Keys without which an entry makes no sense, so that its other faults are no news when they stand elsewhere. */
const carryingKeys: ReadonlySet<string> = new Set([
  'agent',
  'uses',
  'module',
  'command',
  'needs',
  'tasks',
]);

/** Where an entry of a section stands: `[tasks, retry]`. */
export type EntryPlace = readonly [section: string, name: string];

/** The place of the entry that a path leads into if that entry is named like a key of its kind: `tasks.retry`. */
export function strayEntry(path: DocumentPath): EntryPlace | undefined {
  const [section, name] = path;
  if (typeof section !== 'string' || typeof name !== 'string') return undefined;
  if (!Object.hasOwn(blockOfSection, section)) return undefined;
  return keysOfBlock(blockOfSection[section] ?? '').includes(name) ? [section, name] : undefined;
}

/** Whether an entry says what only an entry says: then its name is just a name. */
export function isEntry(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.keys(value).some((key) => carryingKeys.has(key));
}

/** What to do about an entry at fault whose name is a key of its kind: it was indented too little. */
export function strayHint([section, name]: EntryPlace, names: readonly string[]): string {
  const owner = ownerOf([section, name], names);
  const kind = blockOfSection[section] ?? '';
  return owner === undefined
    ? `"${name}" looks like a key of a ${kind}: write the name of the ${kind} above it`
    : `"${name}" looks like a key of the ${kind} above: indent it below "${owner}"`;
}

/** Adds the one fault of such an entry; what follows for the entry that lacks the key is no news either. */
export function addStrayFault(
  entry: EntryPlace,
  names: readonly string[],
  faults: FaultList,
): void {
  const [section, name] = entry;
  const kind = blockOfSection[section] ?? '';
  const message = `"${name}" does not describe ${kind === 'agent' ? 'an' : 'a'} ${kind}`;
  const hint = strayHint(entry, names);
  faults.add('TRP_WORKFLOW_INVALID', message, { path: entry, point: 'key', hint });
  faults.mute(entry);
  const owner = ownerOf(entry, names);
  if (owner !== undefined && carryingKeys.has(name)) faults.mute([section, owner]);
}

/** The nearest entry above that is none of these keys itself. */
export function ownerOf([section, name]: EntryPlace, names: readonly string[]): string | undefined {
  return names.slice(0, names.indexOf(name)).findLast((above) => !strayEntry([section, above]));
}
