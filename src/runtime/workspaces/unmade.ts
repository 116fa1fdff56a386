import type { WorkspaceHost } from './workspaces.ts';

/**
 * Workspaces of a process that may touch no disk: attempts are given paths at which there is nothing, and merging
 * finds no files.
 */
export const unmadeWorkspaces: WorkspaceHost = {
  pathOf: ({ run, task, attempt }) => `/nowhere/${run}/${task}/${attempt}`,
  merge: () => Promise.resolve({ files: 0, conflicts: [] }),
  wrap: (behaviour) => behaviour,
  close: () => Promise.resolve(),
};
