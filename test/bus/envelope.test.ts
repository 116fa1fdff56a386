import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  envelopeHeaders,
  envelopeOf,
  protocolHeader,
  protocolVersion,
} from '../../src/bus/envelope.ts';

describe('the envelope', () => {
  it('stands in the headers with the version of the protocol', () => {
    const headers = envelopeHeaders({ run: 'r', task: 'build[0]', attempt: 2, epoch: 7 });
    expect(headers).toEqual({
      [protocolHeader]: protocolVersion,
      'Troupe-Run': 'r',
      'Troupe-Task': 'build%5B0%5D',
      'Troupe-Attempt': '2',
      'Troupe-Epoch': '7',
    });
  });

  it('comes back as it was, whatever its texts hold', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    const number = fc.nat();
    const envelopes = fc.record(
      { run: text, task: text, attempt: number, op: text, epoch: number, traceparent: text },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(envelopes, (envelope) => {
        expect(envelopeOf(envelopeHeaders(envelope))).toEqual(envelope);
      }),
    );
  });

  it('is without what is missing or malformed', () => {
    expect(envelopeOf({})).toEqual({});
    expect(
      envelopeOf({ 'Troupe-Run': '%zz', 'Troupe-Attempt': 'two', 'Troupe-Epoch': '', Other: '1' }),
    ).toEqual({});
  });
});
