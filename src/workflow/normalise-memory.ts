import type { Plain, PlainObject } from '../core/plain.ts';
import type { Draft } from './draft.ts';
import type { DocumentPath } from './fault.ts';
import type { MemoryKeySpec, ValueSchema } from './model.ts';

const schemaKeys = ['type', 'enum', 'required', 'properties', 'items'] as const;

const invalid = 'TRP_WORKFLOW_INVALID';

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
  if (!isMapping(schema)) return draft.faults.add(invalid, 'schema: expected a mapping', path);
  for (const [key, value] of Object.entries(schema)) {
    const fault = isSchemaKey(key) ? faultOf(key, value) : unknownKey(key);
    if (fault !== undefined) draft.faults.add(invalid, fault, [...path, key]);
  }
  checkSchema(schema['items'], [...path, 'items'], draft);
  const { properties = null } = schema;
  if (!isMapping(properties)) return;
  for (const [key, part] of Object.entries(properties))
    checkSchema(part, [...path, 'properties', key], draft);
}

function isSchemaKey(key: string): key is (typeof schemaKeys)[number] {
  return (schemaKeys as readonly string[]).includes(key);
}

function unknownKey(key: string): string {
  return `schema: ${key} is not acted on; there are ${schemaKeys.join(', ')}`;
}

function faultOf(key: (typeof schemaKeys)[number], value: Plain): string | undefined {
  switch (key) {
    case 'type':
      return [value].flat().every((name) => typeNames.includes(name as string))
        ? undefined
        : `type: expected ${typeNames.join(', ')}`;
    case 'enum':
      return Array.isArray(value) ? undefined : 'enum: expected a list';
    case 'required':
      return isNames(value) ? undefined : 'required: expected a list of names';
    case 'properties':
      return isMapping(value) ? undefined : 'properties: expected a mapping';
    case 'items':
      return undefined;
  }
}

function isNames(value: Plain): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isMapping(value: Plain): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
