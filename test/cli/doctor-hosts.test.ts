import { expect, it } from 'vitest';
import { poolLine, poolsCheck } from '../../src/cli/doctor/hosts-check.ts';

const host = {
  protocol: 1,
  type: 'heartbeat' as const,
  host: 'node-1',
  pools: ['gpu', 'cpu'],
  slots: 4,
  free: 3,
  draining: false,
  attempts: new Map(),
  seenAt: 0,
};

it('tells which pools have worker hosts, and how many slots are free', () => {
  const other = { ...host, host: 'node-2', pools: ['gpu'], slots: 8, free: 0 };
  const { detail, list } = poolsCheck([host, other, { ...other, host: 'node-3', draining: true }]);
  expect(detail).toBe('3 in namespace default');
  expect(list).toEqual([
    'pool cpu: hosts 1, slots 4, free 3',
    'pool gpu: hosts 2, slots 12, free 3',
  ]);
});

it('names the namespace that was looked at', () => {
  expect(poolsCheck([host], 'team')).toMatchObject({ detail: '1 in namespace team' });
});

it('says of a pool that nobody serves it', () => {
  expect(poolLine([host], 'tpu')).toBe('pool tpu: hosts 0, slots 0, free 0');
});

it('takes it for no fault that there are none', () => {
  expect(poolsCheck([])).toMatchObject({ status: 'ok' });
});
