import { TroupeError } from '../core/errors.ts';
import { toPlain } from '../core/plain.ts';
import type { Plain, PlainObject } from '../core/plain.ts';
import type { Workflow } from '../workflow/model.ts';

/**
 * The input of a run: what was given, with the document's defaults for what was not.
 * @throws TroupeError TRP_INPUT_INVALID naming what is missing or not declared; TRP_PLAIN_DATA.
 */
export function inputFor(workflow: Workflow, given: PlainObject): PlainObject {
  const input: Record<string, Plain> = { ...(toPlain(given) as PlainObject) };
  const declared = Object.entries(workflow.inputs);
  if (declared.length > 0) refuseUnknown(workflow, input);
  for (const [name, spec] of declared) {
    if (Object.hasOwn(input, name)) continue;
    if (spec.default !== undefined) input[name] = spec.default;
    else if (spec.required) throw missing(workflow, name);
  }
  return input;
}

function refuseUnknown(workflow: Workflow, input: PlainObject): void {
  const names = Object.keys(workflow.inputs);
  const unknown = Object.keys(input).filter((name) => !names.includes(name));
  if (unknown.length === 0) return;
  throw new TroupeError(
    'TRP_INPUT_INVALID',
    `"${workflow.name}" has no input "${unknown.join('", "')}".`,
    {
      hint: `Its inputs are: ${names.join(', ')}.`,
    },
  );
}

function missing(workflow: Workflow, name: string): TroupeError {
  const { description = '' } = workflow.inputs[name] ?? {};
  return new TroupeError('TRP_INPUT_INVALID', `"${workflow.name}" needs the input "${name}".`, {
    hint: `Pass it with --input ${name}=...${description ? `: ${description}` : ''}`,
  });
}
