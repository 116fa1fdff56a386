import { describe, expect, it } from 'vitest';
import { ownershipOf } from '../../src/memory/ownership.ts';
import { workflowOf } from '../support/workflow-builder.ts';
import { Desk, proposalOf } from './support.ts';

const workflow = workflowOf({
  agents: { architect: { owns: ['architect.*', 'shared.plan'] }, pm: { owns: ['pm.*'] } },
  tasks: { design: { agent: 'architect' }, review: { agent: 'pm', writes: ['reviews.>'] } },
  memory: { 'shared.*': 'union', 'parallel.votes.*': 'sum' },
});

describe('ownership', () => {
  const rules = ownershipOf(workflow);

  it('lets an agent write what it owns and a task what it declares', () => {
    expect(rules.allowed('architect', 'design', 'architect.api.v1')).toBe(true);
    expect(rules.allowed('architect', 'design', 'shared.plan')).toBe(true);
    expect(rules.allowed('pm', 'review', 'reviews.design')).toBe(true);
    expect(rules.allowed('pm', 'review[3]', 'reviews.design')).toBe(true);
  });

  it('lets nobody write what belongs to another or was never declared', () => {
    expect(rules.allowed('pm', 'review', 'architect.api')).toBe(false);
    expect(rules.allowed('architect', 'design', 'reviews.design')).toBe(false);
    expect(rules.allowed('architect', 'design', 'free')).toBe(false);
    expect(rules.allowed('stranger', 'nothing', 'pm.x')).toBe(false);
  });

  it('names the owner in its refusal', () => {
    const desk = new Desk(rules);
    const write =
      (key: string): unknown =>
      () =>
        desk.submit(
          proposalOf(
            'review',
            [
              { key: 'pm.a', value: 1 },
              { key, value: 1 },
            ],
            { agent: 'pm' },
          ),
        );
    const refusal = (message: RegExp): unknown =>
      expect.objectContaining({
        code: 'TRP_MEMORY_NOT_OWNER',
        message: expect.stringMatching(message),
      });
    expect(write('architect.api')).toThrow(
      refusal(/task review \(agent pm\) wrote architect.api, but it belongs to architect/),
    );
    expect(write('free')).toThrow(refusal(/nobody declared it/));
    expect(desk.memory.revision).toBe(0);
  });

  it('chooses the merger by the document, then by the default of the key', () => {
    expect(rules.mergerOf('shared.plan')).toBe('union');
    expect(rules.mergerOf('parallel.votes.a')).toBe('sum');
    expect(rules.mergerOf('parallel.results.a')).toBe('priority_merge');
    expect(rules.mergerOf('architect.api')).toBe('first_writer_wins');
  });
});
