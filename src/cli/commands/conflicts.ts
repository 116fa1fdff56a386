import type { Plain } from '../../core/plain.ts';
import type {
  ConflictRecorded,
  ConflictResolved,
  JournalRecord,
  OpenSide,
} from '../../journal/record.ts';
import { jsonText } from '../../runtime/control/json.ts';
import { writeJson, writeLines } from '../output.ts';
import { counted, elapsed } from '../render/shapes.ts';
import { fit, oneLine } from '../render/width.ts';
import type { Shell } from '../shell.ts';

/** One conflict as `troupe show --conflicts --json` prints it. */
interface ConflictView {
  /** Number of its record; what `troupe answer` takes. */
  readonly id: number;
  /** Milliseconds from the run's start. */
  readonly at_ms: number;
  readonly key: string;
  readonly rule: string;
  readonly base: number;
  readonly theirs: ConflictRecorded['theirs'];
  readonly mine: ConflictRecorded['mine'];
  readonly dropped: ConflictRecorded['dropped'];
  readonly fault: string | null;
  readonly state: 'recorded' | 'open' | ConflictResolved['choice'];
  readonly resolved_by: string | null;
  /** What a person decides, or decided, between. */
  readonly open: ConflictRecorded['open'] | null;
}

/** `troupe show RUN --conflicts`: who met whom at which key, by which rule, what was dropped, and what is open. */
export function showConflicts(
  shell: Shell,
  run: string,
  { records, json }: { readonly records: readonly JournalRecord[]; readonly json: boolean },
): void {
  const conflicts = conflictsIn(records);
  if (json) return writeJson(shell, { format: 1, run_id: run, conflicts });
  if (conflicts.length === 0) return writeLines(shell, ['no conflicts']);
  const columns = shell.outIsTerminal() ? shell.outColumns() : Number.POSITIVE_INFINITY;
  writeLines(
    shell,
    conflicts.flatMap((conflict) => linesOf(run, conflict).map((line) => fit(line, columns))),
  );
}

function conflictsIn(records: readonly JournalRecord[]): readonly ConflictView[] {
  const startedAt = records[0]?.at ?? 0;
  const resolved = new Map<number, ConflictResolved>();
  for (const record of records)
    if (record.type === 'conflict.resolved') resolved.set(record.conflict, record);
  return records.flatMap((record) =>
    record.type === 'conflict.recorded'
      ? [viewOf(record, resolved.get(record.seq), startedAt)]
      : [],
  );
}

function viewOf(
  record: ConflictRecorded & { readonly seq: number; readonly at: number },
  resolved: ConflictResolved | undefined,
  startedAt: number,
): ConflictView {
  const { key, rule, base, theirs, mine, dropped, fault = null, open = null } = record;
  return {
    id: record.seq,
    at_ms: record.at - startedAt,
    key,
    rule,
    base,
    theirs,
    mine,
    dropped,
    fault,
    state: resolved?.choice ?? (open ? 'open' : 'recorded'),
    resolved_by: resolved?.by ?? null,
    open,
  };
}

function linesOf(run: string, conflict: ConflictView): readonly string[] {
  const { id, at_ms: at, key, rule, base, theirs, mine, state } = conflict;
  const writer = mine.task === '' ? mine.agent : `${mine.task} (${mine.agent})`;
  const head = `${String(id).padStart(6)}  ${elapsed(at).padStart(8)}  ${stateText(conflict)}  ${key}`;
  const met = `${writer} from revision ${base} met ${theirs.agent || 'others'} at revision ${theirs.revision}, by ${rule}`;
  return [
    head,
    ...[met, ...detailsOf(conflict), ...(state === 'open' ? [answerText(run, id)] : [])].map(
      (line) => `          ${oneLine(line)}`,
    ),
  ];
}

function detailsOf({ dropped, fault, open }: ConflictView): readonly string[] {
  const sides = open ? [`theirs: ${sideText(open.theirs)}`, `mine: ${sideText(open.mine)}`] : [];
  return [
    ...(fault === null ? [] : [`the merged value does not fit: ${fault}`]),
    ...(open ? sides : [`dropped: ${droppedText(dropped)}`]),
  ];
}

function sideText(side: OpenSide): string {
  return 'deleted' in side ? 'deleted' : jsonText(side.value);
}

/** Of a file that lost a merge the journal says where it was kept, and which lines of it are not in the merged one. */
function droppedText(dropped: Plain): string {
  if (dropped === null) return 'nothing';
  const kept = keptFile(dropped);
  if (!kept) return jsonText(dropped);
  const what = kept.lines === 0 ? 'the file' : `${counted(kept.lines, 'line')} of the file`;
  return `${what}; all of it is kept as ${kept.as}`;
}

function keptFile(dropped: Plain): { readonly as: string; readonly lines: number } | undefined {
  if (typeof dropped !== 'object' || dropped === null || !('kept_as' in dropped)) return undefined;
  const { kept_as: as, lines } = dropped;
  return typeof as === 'string' && Array.isArray(lines) ? { as, lines: lines.length } : undefined;
}

function stateText({ state, resolved_by: by }: ConflictView): string {
  if (state === 'recorded' || state === 'open') return state;
  return `resolved (${state}, by ${by ?? ''})`;
}

function answerText(run: string, id: number): string {
  return `next: troupe answer ${run} ${id} theirs|mine|--value JSON`;
}
