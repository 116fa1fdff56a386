import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Behaviour } from '../../actors/behaviours/behaviour.ts';
import type { Workspaces } from '../../supervisors/run/workspace-merge.ts';

/** The workspaces of one process. */
export interface WorkspaceHost extends Workspaces {
  /** The same behaviour, with its folder made before each attempt that is to have one. */
  wrap(behaviour: Behaviour): Behaviour;
  /** Removes what would outlive the process for nothing. */
  close(): Promise<void>;
}

/**
 * Workspaces below `<dataDir>/workspaces/<run>/<task>/<attempt>`; without a data folder in one of the system's
 * folders for temporary files, which is removed on close. File work is loaded when it is first needed.
 */
export function createWorkspaces(dataDir: string | undefined): WorkspaceHost {
  let temporary: string | undefined;
  const root = (): string => {
    if (dataDir !== undefined) return join(resolve(dataDir), 'workspaces');
    return (temporary ??= mkdtempSync(join(tmpdir(), 'troupe-')));
  };
  const wrapped = new WeakMap<Behaviour, Behaviour>();
  return {
    pathOf: ({ run, task, attempt }) => join(root(), run, task, String(attempt)),
    merge: inTurns(async (merge) => (await import('./merge.ts')).mergeInto(merge)),
    wrap(behaviour) {
      const known =
        wrapped.get(behaviour) ?? withFolder(behaviour, () => resolve(dataDir ?? root()));
      wrapped.set(behaviour, known);
      return known;
    },
    async close() {
      if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    },
  };
}

/** Merges into one folder take turns, so that the second sees what the first has put there. */
function inTurns(merge: Workspaces['merge']): Workspaces['merge'] {
  const last = new Map<string, Promise<unknown>>();
  return (request) => {
    const folder = resolve(request.into);
    const turn = (last.get(folder) ?? Promise.resolve()).then(() => merge(request));
    const over = turn
      .catch(() => undefined)
      .finally(() => {
        if (last.get(folder) === over) last.delete(folder);
      });
    last.set(folder, over);
    return turn;
  };
}

function withFolder(behaviour: Behaviour, apart: () => string): Behaviour {
  const prepared: Behaviour['execute'] = async (request, port) => {
    if (request.workspace) {
      const { makeFolder } = await import('./attempt-folder.ts');
      await makeFolder({ ...request.workspace, apart: apart() });
    }
    return behaviour.execute(request, port);
  };
  return {
    execute: (request, port) =>
      request.workspace ? prepared(request, port) : behaviour.execute(request, port),
  };
}
