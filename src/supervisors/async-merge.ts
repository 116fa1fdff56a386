import { joinContext, joinSetup } from './join.ts';

/**
 * Supervises a group whose members' results are merged as they arrive: every contribution is a revision
 * that readers see at once, and nobody waits for the slowest. The group ends by the same policy as a
 * fork-join; until then its output is whatever has been merged.
 */
export const asyncMergeMachine = joinSetup.createMachine({
  id: 'async_merge',
  context: joinContext,
  invoke: { id: 'crew', src: 'crew', input: ({ context }) => context.crew },
  initial: 'waiting',
  on: {
    'group.ended': [
      { guard: 'endedWell', target: '.succeeded' },
      { guard: 'endedInPart', target: '.partial' },
      { target: '.failed' },
    ],
  },
  states: {
    waiting: {
      tags: ['initiation'],
      always: { guard: 'isReleased', target: 'released' },
      on: {
        'member.dispatched': 'merging',
        'member.ended': [
          { guard: 'succeeded', target: 'merging', actions: ['announceContribution', 'decide'] },
          { target: 'merging', actions: 'decide' },
        ],
        'members.ended': { target: 'merging', actions: ['announceContributions', 'decide'] },
      },
    },
    merging: {
      tags: ['monitoring'],
      always: { guard: 'isReleased', target: 'released' },
      on: {
        'member.ended': [
          { guard: 'succeeded', actions: ['announceContribution', 'decide'] },
          { actions: 'decide' },
        ],
        'members.ended': { actions: ['announceContributions', 'decide'] },
        'deadline.reached': [
          { guard: 'extends', actions: ['decide', 'announceExtension'] },
          { guard: 'suffices', target: 'completing', actions: ['decide', 'announceSufficiency'] },
          { guard: 'fallsBack', target: 'completing', actions: ['decide', 'announceFallback'] },
          { actions: 'decide' },
        ],
      },
    },
    completing: {
      tags: ['completion'],
      always: { guard: 'isReleased', target: 'released' },
      on: {
        'member.ended': [
          { guard: 'succeeded', actions: ['announceContribution', 'decide'] },
          { actions: 'decide' },
        ],
        'members.ended': { actions: ['announceContributions', 'decide'] },
        'deadline.reached': [
          { guard: 'extends', actions: ['decide', 'announceExtension'] },
          { guard: 'suffices', actions: ['decide', 'announceSufficiency'] },
          { guard: 'fallsBack', actions: ['decide', 'announceFallback'] },
          { actions: 'decide' },
        ],
      },
    },
    released: {
      tags: ['synchronization'],
      entry: 'announceRelease',
    },
    succeeded: { type: 'final' },
    partial: { type: 'final' },
    failed: { type: 'final' },
  },
});
