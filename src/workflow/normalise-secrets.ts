import type { Workflow } from './model.ts';
import type { CheckedDocument } from './schema/check.ts';

/** What the document and its agents declare secret, each name once. */
export function secretsOf({
  secrets = [],
  agents = {},
}: CheckedDocument): Pick<Workflow, 'secrets'> {
  const ofAgents = Object.values(agents).flatMap(({ secrets: names = [] }) => names);
  const names = new Set([...secrets, ...ofAgents]);
  return names.size === 0 ? {} : { secrets: [...names].sort() };
}
