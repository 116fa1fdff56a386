import type { Logger } from '../../core/log.ts';
import type { Plain, PlainObject } from '../../core/plain.ts';
import type { Secrets } from '../../core/redaction.ts';
import { minSecretLength } from '../../core/redaction.ts';
import type { RecordBody, RunStarted } from '../../journal/record.ts';

const inputPrefix = 'input.';

/** Where the values of secrets come from, and who must not say them. */
export interface SecretSources {
  readonly secrets: Secrets;
  readonly environment: { readonly [name: string]: string | undefined };
  readonly logger: Logger;
}

/**
 * Makes known what the workflow of a run declares secret: values of the environment, and of the run's input. Input that
 * is secret is not in the journal: a run that is taken over goes on without it.
 * @param isNew false: the run was taken over
 */
export function learnSecrets(
  start: RunStarted,
  isNew: boolean,
  sources: SecretSources,
): RunStarted {
  const { secrets: names = [] } = start.workflow;
  if (names.length === 0) return start;
  const lost = isNew ? [] : names.filter((name) => name.startsWith(inputPrefix)).map(keyOf);
  for (const name of names) {
    const value = name.startsWith(inputPrefix)
      ? start.input[keyOf(name)]
      : sources.environment[name];
    if (value !== undefined && !lost.includes(keyOf(name))) learn(name, value, sources);
  }
  return lost.length === 0 ? start : { ...start, input: without(start.input, lost) };
}

/** Whether the name of a secret is one of the environment, which every host has for itself. */
export function isOfEnvironment(name: string): boolean {
  return !name.startsWith(inputPrefix);
}

/** A record that says no secret. What names things in the journal stays as it is. */
export function redactRecord(body: RecordBody, secrets: Secrets): RecordBody {
  const fields = body as unknown as PlainObject;
  const redacted = secrets.redact(fields);
  if (redacted === fields) return body;
  const names = ['type', 'task', 'group', 'run', 'member', 'op', 'agent'];
  const kept = names.filter((name) => Object.hasOwn(fields, name));
  const same = Object.fromEntries(kept.map((name) => [name, fields[name] as Plain]));
  return { ...redacted, ...same } as unknown as RecordBody;
}

function learn(name: string, value: Plain, { secrets, logger }: SecretSources): void {
  if (secrets.add(name, value)) return;
  logger.warn(`a secret is shorter than ${minSecretLength} characters: it is not redacted`, {
    secret: name,
  });
}

function keyOf(name: string): string {
  return name.startsWith(inputPrefix) ? name.slice(inputPrefix.length) : '';
}

function without(input: PlainObject, keys: readonly string[]): PlainObject {
  return Object.fromEntries(Object.entries(input).filter(([key]) => !keys.includes(key)));
}
