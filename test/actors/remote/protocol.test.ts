import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import {
  readAssignment,
  readHeartbeat,
  readHostMessage,
  readLabel,
  readOrder,
} from '../../../src/actors/remote/read-message.ts';
import { workProtocol } from '../../../src/actors/remote/messages.ts';
import { TroupeError } from '../../../src/core/errors.ts';
import type { Plain, PlainObject } from '../../../src/core/plain.ts';
import { decode, encode } from '../../../src/bus/codec.ts';

const corpora = new URL('corpora/', import.meta.url);

type Read = (payload: Plain) => object;

/** Who reads which message. */
const readers: { readonly [name: string]: Read } = {
  assignment: readAssignment,
  heartbeat: readHeartbeat,
  abort: readOrder,
  adopt: readOrder,
  begin: readOrder,
  report: readOrder,
  result: readHostMessage,
  failure: readHostMessage,
  step: readHostMessage,
  claim: readHostMessage,
  handed_back: readHostMessage,
  progress: readHostMessage,
  spent: readHostMessage,
};

interface Frozen {
  readonly version: string;
  readonly name: string;
  readonly message: PlainObject;
}

function frozen(): readonly Frozen[] {
  return readdirSync(corpora).flatMap((version) =>
    readdirSync(new URL(`${version}/`, corpora)).map((file) => {
      const text = readFileSync(new URL(`${version}/${file}`, corpora), 'utf8');
      return { version, name: file.replace('.json', ''), message: JSON.parse(text) as PlainObject };
    }),
  );
}

describe('messages of every protocol that was ever spoken', () => {
  it.each(frozen())('$version: $name is read as it was written', ({ name, message }) => {
    const read = readers[name];
    expect(read?.(decode(encode(message)))).toEqual(message);
  });

  it('are kept for each kind of message', () => {
    const kept = frozen().filter(({ version }) => version === `protocol-${workProtocol}`);
    expect(kept.map(({ name }) => name).toSorted()).toEqual(Object.keys(readers).toSorted());
  });
});

describe('a message that cannot be read', () => {
  it.each(frozen())('says so when it is $name of a newer protocol', ({ name, message }) => {
    const newer = { ...message, protocol: workProtocol + 1 };
    expect(() => readers[name]?.(newer)).toThrow(
      /is of work protocol 2; this process reads 1 to 1/,
    );
    expect(readLabel(newer)?.operation).toBe(message['operation']);
  });

  it('says which field is missing', () => {
    for (const { name, message } of frozen())
      for (const field of Object.keys(message).filter((key) => isNeeded(name, key))) {
        const { [field]: _gone, ...rest } = message;
        expect(() => readers[name]?.(rest), `${name} without ${field}`).toThrow(TroupeError);
      }
  });

  it('is refused by an error of ours, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.values(readers)), (value, read) => {
        try {
          read(value as Plain);
        } catch (error) {
          expect(error).toBeInstanceOf(TroupeError);
          expect((error as TroupeError).code).toBe('TRP_WORK_PROTOCOL');
        }
      }),
    );
  });
});

/** Everything but what later versions of protocol 1 may leave out. */
function isNeeded(name: string, field: string): boolean {
  return field !== 'spent' && field !== 'providers' ? true : name === 'spent';
}
