import { expect, it } from 'vitest';
import { createMemoryStore } from '../../src/journal/stores/memory-store.ts';
import { journalSuite, recordOf } from '../conformance/journal-suite.ts';

journalSuite('the memory store', { open: async () => createMemoryStore('node-test') });

it('the memory store answers before append returns', async () => {
  const run = await createMemoryStore().create('run-1');
  let answered = false;
  run.append([recordOf(1)], () => {
    answered = true;
  });
  expect(answered).toBe(true);
});
