import type { Plain, PlainObject } from '../core/plain.ts';
import { checkCondition } from './condition.ts';
import type { Draft, TaskDraft } from './draft.ts';
import { templateParts, templateRoots } from './expression.ts';
import type { Reference } from './expression.ts';
import type { DocumentPath } from './fault.ts';
import type { Reach, WaitingOrder } from './reach.ts';
import { unsureOf } from './unsure.ts';

/** Checks every expression of the document: it can be read, its names exist, and they are among what is waited for. */
export function checkTemplates(draft: Draft, order: WaitingOrder): void {
  const check = new TemplateCheck(draft, order);
  for (const task of draft.tasks.values()) {
    if (!task.generated) check.task(task);
  }
  for (const [name, template] of Object.entries(draft.document.outputs ?? {})) {
    check.template(template as Plain, { path: ['outputs', name], task: undefined, extra: [] });
  }
}

/** Where a template stands and what it may name. */
interface Site {
  readonly path: DocumentPath;
  /** Undefined: an output of the run, which sees every task. */
  readonly task: TaskDraft | undefined;
  /** Roots that only hold inside an expansion. */
  readonly extra: readonly string[];
}

const memberRoots: readonly string[] = ['item', 'index', 'shard', 'aspect'];
/** What expressions may ask of a task and of a group. */
const fieldsOf: { readonly [kind in 'task' | 'group']: readonly string[] } = {
  task: ['output', 'outcome', 'attempts'],
  group: ['output', 'census', 'outcome'],
};
const rootsOfExpansion = { shards: ['shard'], aspects: ['aspect'], for_each: ['item', 'index'] };

class TemplateCheck {
  private readonly draft: Draft;
  private readonly reach: Reach;
  private readonly unsure: ReadonlySet<string>;

  constructor(draft: Draft, { waiting, reach }: WaitingOrder) {
    this.draft = draft;
    this.reach = reach;
    this.unsure = unsureOf(draft, waiting);
  }

  task(task: TaskDraft): void {
    const path = ['tasks', task.id];
    const outer = { task, extra: [] };
    const inner = { task, extra: task.expand ? rootsOfExpansion[task.expand.kind] : [] };
    this.template(task.with, { ...inner, path: [...path, 'with'] });
    this.template(task.when, { ...outer, path: [...path, 'when'] });
    checkCondition(task, this.draft);
    const { expand } = task;
    if (expand?.kind === 'shards')
      this.template(expand.of, { ...outer, path: [...path, 'shards', 'of'] });
    if (expand?.kind === 'for_each')
      this.template(expand.of, { ...outer, path: [...path, 'for_each'] });
    for (const aspect of expand?.kind === 'aspects' ? expand.aspects : []) {
      this.template(aspect.with, { ...inner, path: [...path, 'aspects', aspect.id, 'with'] });
    }
  }

  template(template: Plain | undefined, site: Site): void {
    if (typeof template === 'string') return this.text(template, site);
    if (typeof template !== 'object' || template === null || template instanceof Uint8Array) return;
    const isList = Array.isArray(template);
    for (const [key, item] of Object.entries(template as PlainObject)) {
      this.template(item, { ...site, path: [...site.path, isList ? Number(key) : key] });
    }
  }

  private text(text: string, site: Site): void {
    for (const part of templateParts(text)) {
      if (part.kind === 'reference') this.reference(part.reference, site);
      if (part.kind !== 'malformed') continue;
      const hint =
        'Write ${tasks.a.output.x[0]}, ${input.x} or ${memory.a.key}; $${ stands for the text ${.';
      this.draft.faults.add(
        'TRP_WORKFLOW_INVALID',
        `the expression ${part.text.slice(0, 80)} cannot be read`,
        { path: site.path, hint },
      );
    }
  }

  private reference({ root, path, expression }: Reference, site: Site): void {
    const [name] = path;
    if (root === 'tasks' || root === 'groups') {
      if (this.hasField({ root, path, expression }, site)) this.target(root, name, site);
      return;
    }
    if (root === 'input') return this.input(name, site);
    if (memberRoots.includes(root) && !site.extra.includes(root)) {
      const message = `\${${expression}} means nothing here`;
      const hint = 'item and index belong to for_each, shard to shards, aspect to aspects.';
      return this.draft.faults.add('TRP_WORKFLOW_UNKNOWN_REF', message, { path: site.path, hint });
    }
    if (templateRoots.some((known) => known === root)) return;
    const hint =
      this.draft.faults.suggest(root, templateRoots) ?? `Begin with ${templateRoots.join(', ')}.`;
    this.draft.faults.add(
      'TRP_WORKFLOW_UNKNOWN_REF',
      `\${${expression}} begins with "${root}", which is not known`,
      { path: site.path, hint },
    );
  }

  /** Whether a task or group that exists has what is asked of it; a fault when it has not. */
  private hasField({ root, path, expression }: Reference, site: Site): boolean {
    const [name = '', field] = path;
    const { tasks, groups, faults } = this.draft;
    const known = root === 'tasks' ? tasks : groups;
    const fields = fieldsOf[root === 'tasks' ? 'task' : 'group'];
    if (field === undefined || !known.has(name) || fields.includes(field)) return true;
    const has = `a ${root === 'tasks' ? 'task' : 'group'} has ${fields.slice(0, -1).join(', ')} and ${fields.at(-1)}`;
    faults.add('TRP_WORKFLOW_UNKNOWN_REF', `\${${expression}} is nothing: ${has}`, {
      path: site.path,
      hint: faults.suggest(field, fields) ?? `Write \${${root}.${name}.output}.`,
    });
    return false;
  }

  private target(root: 'tasks' | 'groups', name: string | undefined, site: Site): void {
    const { tasks, groups, faults } = this.draft;
    const [known, kind] = root === 'tasks' ? [tasks, 'task'] : [groups, 'group'];
    if (name === undefined || !known.has(name)) return this.addUnknown(root, name ?? '', site);
    if (!site.task || this.isReached(name, site.task) || this.unsure.has(site.task.id)) return;
    const message = `"${site.task.id}" uses ${kind} "${name}" without waiting for it`;
    faults.add('TRP_WORKFLOW_INVALID', message, { path: site.path, hint: `Add ${name} to needs.` });
  }

  private addUnknown(root: 'tasks' | 'groups', name: string, { path }: Site): void {
    const { tasks, groups, faults } = this.draft;
    if (faults.isMuted([root, name])) return;
    const message = `there is no ${root === 'tasks' ? 'task' : 'group'} "${name}"`;
    const hint =
      root === 'tasks'
        ? faults.suggestOrList(name, tasks, 'Tasks')
        : faults.suggestOrList(name, groups, 'Groups');
    faults.add('TRP_WORKFLOW_UNKNOWN_REF', message, { path, hint });
  }

  private isReached(name: string, task: TaskDraft): boolean {
    if (task.needs.some(({ on, kind }) => on === name && kind !== 'validation')) return true;
    if (this.reach.waits(task.id, name)) return true;
    return task.needs.some(
      ({ on, kind }) => kind === 'context' && this.draft.groups.get(on)?.members.includes(name),
    );
  }

  private input(name: string | undefined, site: Site): void {
    const declared = Object.keys(this.draft.document.inputs ?? {});
    if (name === undefined || declared.length === 0 || declared.includes(name)) return;
    const hint = this.draft.faults.suggestOrList(name, declared, 'Inputs');
    this.draft.faults.warn('TRP_WORKFLOW_UNKNOWN_REF', `the input "${name}" is not declared`, {
      path: site.path,
      hint,
    });
  }
}
