import { TroupeError } from '../core/errors.ts';

/** Metadata of a message: names as in HTTP, one line of text each. */
export type Headers = { readonly [name: string]: string };

const nameForm = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const maxValueLength = 8_192;

/**
 * A frozen copy, safe for every driver: a line break in a value could forge a header on the wire.
 * @throws TroupeError TRP_BUS_PAYLOAD
 */
export function checkHeaders(headers: Headers): Headers {
  const copy: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(headers)) {
    const valid = nameForm.test(name) && typeof value === 'string' && isOneLine(value);
    if (!valid)
      throw new TroupeError('TRP_BUS_PAYLOAD', `The header ${JSON.stringify(name)} is malformed.`);
    copy[name] = value;
  }
  return Object.freeze(copy);
}

/** No control characters but tab. */
function isOneLine(value: string): boolean {
  return value.length <= maxValueLength && !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value);
}
