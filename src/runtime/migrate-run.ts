import { systemClock } from '../core/clock.ts';
import { TroupeError } from '../core/errors.ts';
import { toPlain } from '../core/plain.ts';
import { foldFrom } from '../journal/checkpoint.ts';
import type { OwnedRun } from '../journal/journal.ts';
import type { RecordBody } from '../journal/record.ts';
import { openFileStore } from '../journal/stores/file-store/file-store.ts';
import { migrationOf } from '../planning/migration.ts';
import type { Migration } from '../planning/migration.ts';
import type { Workflow } from '../workflow/model.ts';
import { engineVersion } from './engine-version.ts';

/** A run, and the document that it is to go on with. */
export interface MigrationRequest {
  readonly dataDir: string;
  readonly run: string;
  readonly workflow: Workflow;
  /** File that the document comes from. */
  readonly source: string;
}

/**
 * Writes into the journal of a run that nobody carries that it goes on with another document. Nothing runs by it:
 * resume the run then.
 * @throws TroupeError TRP_RUN_NOT_FOUND, TRP_RUN_OWNED
 */
export async function migrateRun(request: MigrationRequest): Promise<Migration> {
  const { dataDir, run } = request;
  const now = (): number => systemClock.now();
  const store = await openFileStore({ dataDir, level: 'power', now, schedule: setImmediate });
  try {
    const owned = await store.adopt(run);
    return await migrate(owned, request);
  } finally {
    await store.close();
  }
}

async function migrate(
  owned: OwnedRun,
  { run, workflow, source }: MigrationRequest,
): Promise<Migration> {
  const state = foldFrom(owned.checkpoint, owned.records);
  const { seq, status, workflow: before, lastAt } = state;
  if (!before)
    throw new TroupeError('TRP_RUN_NOT_FOUND', `Run ${run} never began.`, { place: run });
  const migration = migrationOf(before, workflow);
  const { reset, groups, dropped } = migration;
  const plain = toPlain(workflow) as unknown as Workflow;
  const engine = engineVersion;
  const bodies: RecordBody[] = [
    ...(status === 'ended' ? [{ type: 'run.reopened' } as const] : []),
    { type: 'workflow.migrated', engine, workflow: plain, source, reset, groups, dropped },
  ];
  // Time never goes back in a journal, whatever the clock does.
  const at = Math.max(lastAt, systemClock.now());
  const records = bodies.map((body, index) =>
    Object.assign({}, body, { seq: seq + 1 + index, at }),
  );
  await new Promise<void>((resolve, reject) => {
    owned.append(records, (error) => (error ? reject(error) : resolve()));
  });
  return migration;
}
