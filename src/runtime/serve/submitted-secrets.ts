import { TroupeError } from '../../core/errors.ts';
import type { Plain } from '../../core/plain.ts';
import { Secrets } from '../../core/redaction.ts';
import type { RunStarted } from '../../journal/record.ts';

const inputPrefix = 'input.';

/**
 * Refuses a submission that would take a secret over the bus: an input that the document declares secret, or the value
 * of such a variable of the environment anywhere in it.
 * @throws TroupeError TRP_SECRET_ON_BUS
 */
export function assertNoSecret(
  start: RunStarted,
  environment: { readonly [name: string]: string | undefined },
): void {
  const names = start.workflow.secrets ?? [];
  const given = names.find(
    (name) => name.startsWith(inputPrefix) && Object.hasOwn(start.input, keyOf(name)),
  );
  if (given !== undefined) throw onBus(`The secret ${given}`, start.workflow.name);
  const secrets = new Secrets();
  for (const name of names) {
    const value = environment[name];
    if (value !== undefined) secrets.add(name, value);
  }
  const plain = start as unknown as Plain;
  if (secrets.redact(plain) !== plain)
    throw onBus('The value of a secret variable', start.workflow.name);
}

function keyOf(name: string): string {
  return name.slice(inputPrefix.length);
}

function onBus(what: string, workflow: string): TroupeError {
  const hint =
    'Set a variable of the environment where runs are carried out, declare it secret, and read it there; or run it here.';
  return new TroupeError('TRP_SECRET_ON_BUS', `${what} would be in the queue of submitted runs.`, {
    place: workflow,
    hint,
  });
}
