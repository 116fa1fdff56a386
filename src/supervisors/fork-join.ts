import { joinContext, joinSetup } from './join.ts';

/**
 * Supervises a group whose members run together and are joined by a barrier. Its finite states are the
 * barrier's (`policies/barrier.ts` decides, this machine carries out); the tags are the phases that people
 * speak of: initiation, monitoring, completion, synchronization.
 */
export const forkJoinMachine = joinSetup.createMachine({
  id: 'fork_join',
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
        'member.dispatched': 'open',
        'member.ended': [
          { guard: 'releases', target: 'released', actions: 'decide' },
          { target: 'open', actions: 'decide' },
        ],
        'members.ended': [
          { guard: 'releases', target: 'released', actions: 'decide' },
          { target: 'open', actions: 'decide' },
        ],
      },
    },
    open: {
      tags: ['monitoring'],
      on: {
        'member.ended': [
          { guard: 'releases', target: 'released', actions: 'decide' },
          { actions: 'decide' },
        ],
        'members.ended': [
          { guard: 'releases', target: 'released', actions: 'decide' },
          { actions: 'decide' },
        ],
        'deadline.reached': [
          { guard: 'extends', target: 'extended', actions: ['decide', 'announceExtension'] },
          { guard: 'suffices', target: 'sufficing', actions: ['decide', 'announceSufficiency'] },
          { guard: 'fallsBack', target: 'falling_back', actions: ['decide', 'announceFallback'] },
          { guard: 'releases', target: 'released', actions: 'decide' },
        ],
      },
    },
    extended: {
      tags: ['monitoring'],
      on: {
        'member.ended': [
          { guard: 'releases', target: 'released', actions: 'decide' },
          { actions: 'decide' },
        ],
        'members.ended': [
          { guard: 'releases', target: 'released', actions: 'decide' },
          { actions: 'decide' },
        ],
        'deadline.reached': [
          { guard: 'extends', actions: ['decide', 'announceExtension'] },
          { guard: 'suffices', target: 'sufficing', actions: ['decide', 'announceSufficiency'] },
          { guard: 'fallsBack', target: 'falling_back', actions: ['decide', 'announceFallback'] },
          { guard: 'releases', target: 'released', actions: 'decide' },
        ],
      },
    },
    sufficing: {
      tags: ['completion'],
      on: {
        'member.ended': [
          { guard: 'releases', target: 'released', actions: 'decide' },
          { actions: 'decide' },
        ],
        'members.ended': [
          { guard: 'releases', target: 'released', actions: 'decide' },
          { actions: 'decide' },
        ],
        'deadline.reached': [
          { guard: 'extends', actions: ['decide', 'announceExtension'] },
          { guard: 'fallsBack', target: 'falling_back', actions: ['decide', 'announceFallback'] },
          { guard: 'releases', target: 'released', actions: 'decide' },
        ],
      },
    },
    falling_back: {
      tags: ['completion'],
      on: {
        'member.ended': [
          { guard: 'releases', target: 'released', actions: 'decide' },
          { actions: 'decide' },
        ],
        'members.ended': [
          { guard: 'releases', target: 'released', actions: 'decide' },
          { actions: 'decide' },
        ],
        'deadline.reached': [
          { guard: 'suffices', actions: ['decide', 'announceSufficiency'] },
          { guard: 'releases', target: 'released', actions: 'decide' },
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
