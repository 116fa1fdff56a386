import { describe, expect, it } from 'vitest';
import { questionText, retryText } from '../../../src/cli/progress/recovery-line.ts';
import { painter } from '../../../src/cli/render/painter.ts';

const paint = painter(false);
const error = { code: 'TRP_ATTEMPT_FAILED', message: 'no', errorClass: 'transient' } as const;
const failed = {
  type: 'attempt.failed',
  run: 'run-1',
  task: 'draft',
  attempt: 2,
  error,
  seq: 7,
  at: 1_000,
} as const;
const opened = {
  type: 'escalation.opened',
  run: 'run-1',
  task: 'draft',
  rung: 'person',
  index: 1,
  of: 'task',
  otherwise: 'use_default',
  after: 2,
  error,
  seq: 26,
  at: 1_000,
} as const;

describe('a line about a failed attempt', () => {
  it('says when it is tried again', () => {
    expect(retryText({ ...failed, retryAt: 1_500 }, paint)).toBe('retry      draft in 0.5s');
  });

  it('says to whom it goes, and with which model', () => {
    const next = { agent: 'senior', model: 'large' };
    expect(retryText({ ...failed, retryAt: 1_000, next }, paint)).toBe(
      'handed     draft to senior with model large',
    );
  });
});

describe('a line about an escalation', () => {
  it('shows the command that answers, and what happens without one', () => {
    const choices = ['retry', 'value'] as const;
    expect(questionText({ ...opened, choices, deadline: 61_000 }, paint)).toBe(
      'asks       draft: troupe answer run-1 26 retry|--value JSON; in 1m 00s use_default',
    );
  });

  it('is none where nobody is asked', () => {
    expect(questionText(opened, paint)).toBeUndefined();
  });
});
