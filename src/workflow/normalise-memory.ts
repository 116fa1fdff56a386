import type { Plain, PlainObject } from '../core/plain.ts';
import type { Draft } from './draft.ts';
import type { DocumentPath } from './fault.ts';
import type { MemoryKeySpec, ValueSchema } from './model.ts';

const schemaKeys = ['type', 'enum', 'required', 'properties', 'items'] as const;

/** Types that a schema may name. */
const typeNames = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];

/** The rules of `memory.keys`, in the order of the document. */
export function memoryKeys(draft: Draft): readonly MemoryKeySpec[] {
  const { keys = {} } = draft.document.memory ?? {};
  return Object.entries(keys).map(([pattern, { merge, type, schema }]) => {
    const path = ['memory', 'keys', pattern];
    if (type !== undefined && merge !== 'three_way')
      draft.faults.add('TRP_WORKFLOW_INVALID', 'type: only three_way tells texts from mappings', {
        path: [...path, 'type'],
        point: 'key',
      });
    checkSchema(schema as Plain | undefined, [...path, 'schema'], draft);
    return {
      pattern,
      merge,
      ...(type === undefined ? {} : { type }),
      ...(schema === undefined ? {} : { schema: schema as ValueSchema }),
    };
  });
}

/** Refuses what of JSON Schema is not acted on, by name, so that nobody believes in a check that is not made. */
function checkSchema(schema: Plain | undefined, path: DocumentPath, draft: Draft): void {
  if (schema === undefined) return;
  const fault = (message: string, at: DocumentPath): void =>
    draft.faults.add('TRP_WORKFLOW_INVALID', message, at);
  if (!isMapping(schema)) return fault('schema: expected a mapping', path);
  for (const key of Object.keys(schema)) {
    if (!(schemaKeys as readonly string[]).includes(key))
      fault(`schema: ${key} is not acted on; there are ${schemaKeys.join(', ')}`, [...path, key]);
  }
  const { type, enum: some, required, properties, items } = schema;
  const types = [type].flat() as Plain[];
  if (type !== undefined && !types.every((name) => typeNames.includes(name as string)))
    fault(`type: expected ${typeNames.join(', ')}`, [...path, 'type']);
  if (some !== undefined && !Array.isArray(some)) fault('enum: expected a list', [...path, 'enum']);
  if (required !== undefined && !isNames(required))
    fault('required: expected a list of names', [...path, 'required']);
  checkSchema(items, [...path, 'items'], draft);
  if (properties === undefined) return;
  if (!isMapping(properties))
    return fault('properties: expected a mapping', [...path, 'properties']);
  for (const [key, part] of Object.entries(properties))
    checkSchema(part, [...path, 'properties', key], draft);
}

function isNames(value: Plain): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isMapping(value: Plain): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
