import { describe, expect, it } from 'vitest';
import { matchRun } from '../../src/cli/stored-runs.ts';

describe('the name of a run', () => {
  it('prefers the id that it is whole', () => {
    expect(matchRun('run-1', [{ run_id: 'run-1' }, { run_id: 'run-12' }])).toBe('run-1');
  });

  it('takes the end of an id where no run begins so', () => {
    const runs = [{ run_id: 'run-1a' }, { run_id: 'run-1b' }, { run_id: 'run-b1' }];
    expect([matchRun('1b', runs), matchRun('a', runs)]).toEqual(['run-1b', 'run-1a']);
    expect(matchRun('run-b', runs)).toBe('run-b1');
    const alike = [{ run_id: 'run-1z' }, { run_id: 'run-2z' }];
    expect(() => matchRun('z', alike)).toThrow(/2 runs end with "z": run-1z, run-2z/);
  });

  it('is last for the run that was started last', () => {
    const runs = [
      { run_id: 'run-1', started_at: '2026-01-02T00:00:00.000Z' },
      { run_id: 'run-2', started_at: '2026-01-01T00:00:00.000Z' },
    ];
    expect(matchRun('last', runs)).toBe('run-1');
    expect(() => matchRun('last', [])).toThrow(/no run yet/);
  });

  it('names the candidates when there are several, and is never empty', () => {
    expect(() => matchRun('run-1', [{ run_id: 'run-11' }, { run_id: 'run-12' }])).toThrow(
      /run-11, run-12/,
    );
    expect(() => matchRun('', [{ run_id: 'run-11' }])).toThrow(/no run/);
  });
});
