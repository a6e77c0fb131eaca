import { expect, test } from '@jest/globals';
import { weightOf } from '../../../controller/desired/backends.ts';

test.each([
  ['running', 'unchecked', 5, 'running, no health check'],
  ['running', 'healthy', 5, 'running, healthy'],
  ['running', 'unhealthy', 0, 'running, health check failing: weight 0'],
  ['running', 'unknown', 0, 'running, health check has given no result yet: weight 0'],
  ['killing', 'healthy', 0, 'being killed: weight 0'],
  ['killing', 'unhealthy', 0, 'being killed: weight 0'],
] as const)('a task that is %s and %s has weight %i', (state, health, weight, reason) => {
  expect(weightOf({ state, health }, 5)).toEqual({ weight, reason });
});

test.each(['staging', 'unreachable', 'gone'] as const)('a task that is %s is no backend', (state) => {
  expect(weightOf({ state, health: 'healthy' }, 1)).toBeNull();
});

test('weight 0 by label is told as such', () => {
  expect(weightOf({ state: 'running', health: 'healthy' }, 0)?.reason).toBe(
    'running, healthy: weight 0 by IPVS_WEIGHT',
  );
});
