import { describe, expect, it } from 'vitest';
import { journalOf } from '../../src/runtime/journal-options.ts';
import { configOf } from '../../src/runtime/options.ts';

const bus = 'nats://127.0.0.1:4222';

describe('where journals are', () => {
  it('follows from what is given', () => {
    expect(journalOf({})).toEqual({ journal: 'memory', level: 'memory' });
    expect(journalOf({ dataDir: 'd' })).toEqual({ journal: 'file', level: 'power' });
    expect(journalOf({ dataDir: 'd', level: 'process' })).toEqual({
      journal: 'file',
      level: 'process',
    });
    expect(journalOf({ dataDir: 'd', level: 'memory' })).toEqual({
      journal: 'memory',
      level: 'memory',
    });
  });

  it('survives a loss of power on the bus only on the word of its operator', () => {
    expect(journalOf({ journal: 'bus', bus })).toEqual({ journal: 'bus', level: 'process' });
    expect(journalOf({ journal: 'bus', bus, serverSync: 'always' })).toEqual({
      journal: 'bus',
      level: 'power',
    });
    expect(() => journalOf({ journal: 'bus', bus, level: 'power' })).toThrow(/operator/);
  });

  it.each([
    [{ journal: 'bus' }, /embedded/],
    [{ journal: 'bus', bus: 'embedded' }, /embedded/],
    [{ journal: 'bus', bus, level: 'memory' }, /process or power/],
    [{ journal: 'file' }, /dataDir/],
    [{ level: 'power' }, /dataDir/],
    [{ journal: 'elsewhere' }, /memory, file, bus/],
    [{ takeRuns: 1 }, /not bus/],
    [{ takeRuns: -1, journal: 'bus', bus }, /whole number/],
    [{ leaseMs: 10, journal: 'bus', bus }, /milliseconds/],
  ])('refuses what does not go together: %j', (options, reason) => {
    expect(() => configOf(options as never)).toThrow(reason);
  });
});
