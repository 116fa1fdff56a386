import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/core/canonical.ts';
import type { Plain } from '../../src/core/plain.ts';
import type { ConflictRecorded, MemoryChange } from '../../src/journal/record.ts';
import { decideCommit } from '../../src/memory/propose.ts';
import type { MemoryRules, Proposal } from '../../src/memory/propose.ts';
import type { RunMemory } from '../../src/memory/run-memory.ts';
import { mergerNames } from '../../src/workflow/mergers.ts';
import type { MergerName } from '../../src/workflow/model.ts';
import { Desk } from './support.ts';

/** Laws that hold whatever is proposed, from views of any age, under every merger at once. */

const mergers: readonly MergerName[] = mergerNames;

type Spec = NonNullable<ReturnType<NonNullable<MemoryRules['specOf']>>>;
const specs: { readonly [key: string]: Spec } = {
  'three_way.text': { type: 'text' },
  'three_way.structured': { type: 'structured' },
  'priority_merge.checked': {
    schema: { type: 'object', properties: { a: { type: 'integer' } } },
  },
  'sum.checked': { schema: { type: 'integer' } },
};
const keys = [...mergers.map((merger) => `${merger}.plain`), ...Object.keys(specs)];

const rules: MemoryRules = {
  ownerOf: () => undefined,
  allowed: () => true,
  mergerOf: (key) => key.slice(0, key.indexOf('.')) as MergerName,
  specOf: (key) => specs[key],
};

/** Few names and few leaves, so that writes meet; everything stands in the place of everything. */
const scalar = fc.constantFrom<Plain>(
  0,
  1,
  -1.5,
  1e308,
  null,
  true,
  '',
  'x',
  'a\nb\nc',
  'a\nB\nc',
  'A\nb\nc',
  'a\nb\nC\nd',
);
const { tree } = fc.letrec<{ tree: Plain }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 4, arbitrary: scalar },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 2 }).map((bytes): Plain => Uint8Array.from(bytes)),
    },
    { weight: 2, arbitrary: fc.array(tie('tree'), { maxLength: 3 }) },
    {
      weight: 4,
      arbitrary: fc.dictionary(
        fc.constantFrom('a', 'b', '__proto__', 'constructor', '$bytes', 'x/y~z', ''),
        tie('tree'),
        { maxKeys: 3 },
      ),
    },
  ),
}));
const value = fc.option(tree, { nil: undefined, freq: 6 });

interface Step {
  readonly changes: readonly (readonly [key: string, value: Plain | undefined])[];
  /** Which of the revisions that there are it was made from, counted back. */
  readonly age: number;
  readonly priority: number;
  readonly agent: string;
  /** Repeats the operation of an earlier step. */
  readonly repeats: boolean;
  /** It is decided and then does not come. */
  readonly isLost: boolean;
}

const stepOver = (names: readonly string[]): fc.Arbitrary<Step> =>
  fc.record({
    changes: fc.array(fc.tuple(fc.constantFrom(...names), value), { minLength: 1, maxLength: 4 }),
    age: fc.nat(6),
    priority: fc.integer({ min: 4, max: 6 }),
    agent: fc.constantFrom('x', 'y'),
    repeats: fc.constantFrom(false, false, false, true),
    isLost: fc.constantFrom(false, false, false, true),
  });
const history = fc
  .uniqueArray(fc.constantFrom(...keys), { minLength: 1, maxLength: 3 })
  .chain((names) => fc.array(stepOver(names), { minLength: 1, maxLength: 12 }));

const changeOf = (key: string, to: Plain | undefined): MemoryChange =>
  to === undefined ? { key, deleted: true } : { key, value: to };

function proposalOf(step: Step, index: number, desk: Desk): Proposal {
  const revisions = [0, ...commitsOf(desk).map(({ seq }) => seq)];
  const { priority, agent, changes } = step;
  const op = `op-${step.repeats ? index >> 1 : index}`;
  const base = revisions.at(Math.max(-revisions.length, -1 - step.age)) ?? 0;
  const list = changes.map(([key, to]) => changeOf(key, to));
  return { task: `t${index}`, agent, op, base, priority, changes: list };
}

function commitsOf({ journal }: Desk) {
  return journal.filter((record) => record.type === 'memory.committed');
}

/** Everything that a memory shows at a revision, as text. */
function shown(memory: RunMemory, revision?: number): string {
  const view = memory.view(revision);
  return canonicalJson(view.keys().map((key) => [key, view.get(key) as Plain]));
}

interface Told {
  readonly desk: Desk;
  readonly proposal: Proposal;
  readonly before: string;
  /** What the proposal came to; undefined: it was refused. */
  readonly conflicts: readonly ConflictRecorded[] | undefined;
}

/** Submits every step; after each, what it came to is told. */
function play(steps: readonly Step[], tell: (told: Told) => void = () => undefined): Desk {
  const desk = new Desk(rules);
  for (const [index, step] of steps.entries()) {
    const proposal = proposalOf(step, index, desk);
    const before = shown(desk.memory);
    if (step.isLost) {
      decideCommit(desk.memory, proposal, rules);
      continue;
    }
    let conflicts: readonly ConflictRecorded[] | undefined;
    try {
      conflicts = desk.submit(proposal);
    } catch (error) {
      expect(error).toMatchObject({ code: 'TRP_MEMORY_REJECTED' });
    }
    tell({ desk, proposal, before, conflicts });
  }
  return desk;
}

const runs = { numRuns: 300 };

describe('a memory, whatever is proposed to it', () => {
  it('refolds from its journal to what it was live, at every revision', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const desk = play(steps);
        const refolded = desk.refolded();
        for (const { seq } of commitsOf(desk))
          expect(shown(refolded, seq)).toBe(shown(desk.memory, seq));
        expect(refolded.hash()).toBe(desk.memory.hash());
      }),
      runs,
    );
  });

  it('shows in a view the same for ever', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const seen = new Map<number, string>([[0, '[]']]);
        const desk = play(steps, ({ desk: { memory } }) =>
          seen.set(memory.revision, shown(memory)),
        );
        for (const [revision, text] of seen) expect(shown(desk.memory, revision)).toBe(text);
      }),
      runs,
    );
  });

  it('decides alike when asked twice, and when other proposals were decided in vain', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const noisy = play(steps, ({ desk }) => {
          const step = steps[0] as Step;
          const again = { ...proposalOf({ ...step, repeats: false }, 1_000, desk) };
          expect(decideCommit(desk.memory, again, rules)).toEqual(
            decideCommit(desk.memory, again, rules),
          );
        });
        const quiet = new Desk(rules);
        for (const [index, step] of steps.entries()) {
          if (step.isLost) continue;
          try {
            quiet.submit(proposalOf(step, index, quiet));
          } catch {
            // Refused here as there.
          }
        }
        expect(quiet.journal).toEqual(noisy.journal);
      }),
      runs,
    );
  });

  it('changes nothing by an operation that it has, nor by a refusal', () => {
    fc.assert(
      fc.property(history, (steps) => {
        play(steps, ({ desk, proposal, before, conflicts }) => {
          if (conflicts === undefined) expect(shown(desk.memory)).toBe(before);
          const [after, length] = [shown(desk.memory), desk.journal.length];
          if (conflicts) expect(desk.submit(proposal)).toEqual([]);
          expect([shown(desk.memory), desk.journal.length]).toEqual([after, length]);
        });
      }),
      runs,
    );
  });

  it('holds after a commit either what was proposed, or tells the merge in its journal', () => {
    fc.assert(
      fc.property(history, (steps) => {
        play(steps, ({ desk, proposal, conflicts }) => {
          const last = commitsOf(desk).at(-1);
          if (conflicts === undefined || last?.task !== proposal.task) return;
          const told = new Set((last.proposed ?? []).map(({ key }) => key));
          const view = desk.memory.view();
          for (const [key, change] of new Map(proposal.changes.map((one) => [one.key, one]))) {
            const wanted = 'deleted' in change ? undefined : change.value;
            if (textOf(view.get(key)) !== textOf(wanted)) expect(told.has(key)).toBe(true);
          }
        });
      }),
      runs,
    );
  });

  it('names in a conflict a write that was there, that the proposer had not seen', () => {
    fc.assert(
      fc.property(history, (steps) => {
        play(steps, ({ desk, proposal, conflicts }) => {
          for (const { key, theirs, base, mine } of conflicts ?? []) {
            const met = commitsOf(desk).find(({ seq }) => seq === theirs.revision);
            const written = [...(met?.changes ?? []), ...(met?.merged ?? [])];
            expect(written.some((one) => one.key === key)).toBe(true);
            expect(theirs.revision).toBeGreaterThan(base);
            expect([base, mine.task]).toEqual([proposal.base, proposal.task]);
          }
        });
      }),
      runs,
    );
  });

  it('holds one content under rules that merge place by place, in whatever order writes from one view come', () => {
    const chosen = keys.filter((key) => /^(priority|three|union|max|min|sum.plain)/.test(key));
    const together = fc
      .constantFrom(...chosen)
      .chain((name) => fc.array(stepOver([name]), { minLength: 2, maxLength: 7 }));
    fc.assert(
      fc.property(together, fc.infiniteStream(fc.nat(1_000)), (steps, order) => {
        const desks = [new Desk(rules), new Desk(rules)] as const;
        const [first, ...rest] = steps.map((step, index) => ({
          ...proposalOf({ ...step, age: 99, repeats: false }, index, desks[0]),
          base: index === 0 ? 0 : 1,
        })) as [Proposal, ...Proposal[]];
        const turned = [...rest, ...rest]
          .map((proposal) => ({ proposal, at: order.next().value as number }))
          .sort((a, b) => a.at - b.at);
        for (const proposal of [first, ...rest]) desks[0].submit(proposal);
        for (const proposal of [first, ...turned.map((one) => one.proposal)])
          desks[1].submit(proposal);
        expect(shown(desks[1].memory)).toBe(shown(desks[0].memory));
      }),
      runs,
    );
  });

  it('loses nothing of anybody that no conflict tells', () => {
    const chosen = keys.filter((key) => /^(priority|first|last|three|manual)/.test(key));
    const steps = fc
      .constantFrom(...chosen)
      .chain((name) => fc.array(stepOver([name]), { minLength: 2, maxLength: 8 }));
    fc.assert(
      fc.property(steps, (list) => {
        let past: Leaves = new Map();
        play(list, ({ desk, proposal, conflicts = [] }) => {
          const [{ key } = { key: '' }] = proposal.changes;
          const now = leavesOf(desk.memory.view().get(key));
          if (commitsOf(desk).at(-1)?.task === proposal.task) {
            const gone = goneLeaves({ desk, proposal, key, past, now });
            const told = conflicts.map(({ dropped }) => dropped);
            expect(gone.filter((path) => !told.some((dropped) => tells(dropped, path)))).toEqual(
              [],
            );
          }
          past = now;
        });
      }),
      runs,
    );
  });
});

interface Meeting {
  readonly desk: Desk;
  readonly proposal: Proposal;
  readonly key: string;
  readonly past: Leaves;
  readonly now: Leaves;
}

/** Places of leaves that the proposer, or others whom it had not seen, had changed, and that do not stand now. */
function goneLeaves({ desk, proposal, key, past, now }: Meeting): readonly string[] {
  const change = proposal.changes.at(-1) as MemoryChange;
  const base = leavesOf(desk.memory.view(proposal.base).get(key));
  const mine = leavesOf('deleted' in change ? undefined : change.value);
  const sawAll = proposal.base >= lastBefore(desk, key);
  return [...mine, ...(sawAll ? [] : past)]
    .filter(([path, leaf]) => base.get(path) !== leaf && now.get(path) !== leaf && !isEmpty(leaf))
    .map(([path]) => path);
}

type Leaves = ReadonlyMap<string, string>;

/** Every leaf by its JSON pointer; texts of several lines are merged inside, so their lines are leaves. */
function leavesOf(content: Plain | undefined, path = ''): Leaves {
  if (content === undefined) return new Map();
  if (typeof content === 'string' && content.includes('\n'))
    return new Map(content.split('\n').map((line) => [`${path}/#${line}`, line]));
  if (!isMapping(content)) return new Map([[path, canonicalJson(content)]]);
  const inside = Object.entries(content as { [key: string]: Plain });
  if (inside.length === 0) return new Map([[path, '{}']]);
  return new Map(
    inside.flatMap(([name, part]) => [
      ...leavesOf(part, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
    ]),
  );
}

const isMapping = (content: Plain): boolean =>
  typeof content === 'object' &&
  content !== null &&
  !Array.isArray(content) &&
  !(content instanceof Uint8Array);

const isEmpty = (leaf: string): boolean => leaf === '{}';

/** Revision of the key's last version but one: what the newest commit has met. */
function lastBefore(desk: Desk, key: string): number {
  const writes = commitsOf(desk).filter(({ changes, merged = [] }) =>
    [...changes, ...merged].some((one) => one.key === key),
  );
  return writes.at(-2)?.seq ?? 0;
}

/** Whether what was dropped stands for a place: it whole, something around it or something inside of it. */
function tells(dropped: Plain, path: string): boolean {
  const isByPointer =
    isMapping(dropped) && Object.keys(dropped as object).every((name) => name.startsWith('/'));
  if (!isByPointer) return true;
  return Object.keys(dropped as object).some(
    (pointer) => `${path}/`.startsWith(`${pointer}/`) || pointer.startsWith(`${path}/`),
  );
}

const textOf = (content: Plain | undefined): string =>
  content === undefined ? 'absent' : canonicalJson(content);
