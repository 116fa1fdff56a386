import type { Plain } from '../core/plain.ts';
import type { ValueSchema } from '../workflow/model.ts';
import { isPlainObject, sameContent } from './content.ts';

/** Where a value first differs from its schema, as a sentence; undefined: it fits. */
export function valueFault(schema: ValueSchema, value: Plain, path = ''): string | undefined {
  const place = path === '' ? 'the value' : path;
  const { type, enum: allowed } = schema;
  if (type !== undefined && ![type].flat().some((name) => isOfType(value, name as string)))
    return `${place} is not of type ${[type].flat().join(' or ')}`;
  if (allowed && !allowed.some((one) => sameContent(one, value)))
    return `${place} is none of the values allowed`;
  return faultInside(schema, value, path);
}

function faultInside(schema: ValueSchema, value: Plain, path: string): string | undefined {
  const { required = [], properties = {}, items } = schema;
  if (Array.isArray(value))
    return items && firstFault(value.map((item, index) => [`${path}/${index}`, items, item]));
  if (!isPlainObject(value)) return undefined;
  const missing = required.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return `${path}/${missing} is missing`;
  const inside = Object.entries(properties).filter(([key]) => Object.hasOwn(value, key));
  return firstFault(inside.map(([key, part]) => [`${path}/${key}`, part, value[key] as Plain]));
}

function firstFault(parts: readonly [string, ValueSchema, Plain][]): string | undefined {
  for (const [path, schema, value] of parts) {
    const fault = valueFault(schema, value, path);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isOfType(value: Plain, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isPlainObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
