import { expect, test } from '@jest/globals';
import type { Health, TaskState } from '../../../../controller/model/app.ts';
import {
  containerHealth,
  stateOf,
  stateProblem,
  taskHealth,
} from '../../../../controller/source/document/states.ts';

test.each<[string, TaskState]>([
  ['TASK_STAGING', 'staging'],
  ['TASK_STARTING', 'staging'],
  ['TASK_RUNNING', 'running'],
  ['TASK_KILLING', 'killing'],
  ['TASK_SCHEDULED', 'staging'],
  ['TASK_PROVISIONED', 'staging'],
  ['TASK_UNREACHABLE', 'unreachable'],
  ['TASK_FINISHED', 'gone'],
  ['TASK_FAILED', 'gone'],
  ['TASK_KILLED', 'gone'],
  ['TASK_ERROR', 'gone'],
  ['TASK_GONE', 'gone'],
  ['TASK_DROPPED', 'gone'],
  ['TASK_UNKNOWN', 'gone'],
  ['TASK_LOST', 'gone'],
  ['TASK_FROM_THE_FUTURE', 'unreachable'],
])('%s counts as %s', (state, expected) => {
  expect(stateOf(state)).toBe(expected);
});

test.each([
  ['TASK_RUNNING', null],
  ['TASK_GONE_BY_OPERATOR', null],
  ['RUNNING', null],
  ['task_running', 'expected TASK_RUNNING; it is read as that'],
  [
    'TASK_RUNING',
    'expected a state of Mesos, such as TASK_RUNNING: the task counts as unreachable, which ends no connection',
  ],
  ['TASK_RUNNING ', expect.stringContaining('counts as unreachable')],
  ['constructor', expect.stringContaining('counts as unreachable')],
  ['__proto__', expect.stringContaining('counts as unreachable')],
])('what is wrong with the state %j', (state, problem) => {
  expect(stateProblem(state)).toEqual(problem);
});

test('a task without state, from before Marathon 1.0, runs when it was started', () => {
  expect(stateOf(undefined, '2014-09-13T00:24:46.959Z')).toBe('running');
  expect(stateOf(undefined, undefined)).toBe('staging');
  expect(stateOf(null, null)).toBe('staging');
});

test.each<[string, Parameters<typeof taskHealth>[0], boolean, Health]>([
  ['no check', undefined, false, 'unchecked'],
  ['no check and an empty list of results', [], false, 'unchecked'],
  ['a check and no result', undefined, true, 'unknown'],
  ['a check and an empty list of results', [], true, 'unknown'],
  ['a check and null for its result', [null], true, 'unknown'],
  ['one passing result', [{ alive: true }], true, 'healthy'],
  ['all results passing', [{ alive: true }, { alive: true }], true, 'healthy'],
  ['one of two failing', [{ alive: true }, { alive: false }], true, 'unhealthy'],
  ['one passing and one without result', [{ alive: true }, null], true, 'unknown'],
  ['a result that does not say alive', [{}], true, 'unhealthy'],
])('a task with %s', (_name, results, checked, expected) => {
  expect(taskHealth(results, checked)).toBe(expected);
});

test.each<[string, Parameters<typeof containerHealth>[0], Health]>([
  ['no condition', [], 'unchecked'],
  ['no list of conditions', undefined, 'unchecked'],
  ['another condition', [{ name: 'ready', value: 'false', reason: '' }], 'unchecked'],
  ['healthy true', [{ name: 'healthy', value: 'true', reason: 'health-reported-by-mesos' }], 'healthy'],
  [
    'healthy false as reported',
    [{ name: 'healthy', value: 'false', reason: 'health-reported-by-mesos' }],
    'unhealthy',
  ],
  [
    'healthy false without report',
    [{ name: 'healthy', value: 'false', reason: 'health-unreported-by-mesos' }],
    'unknown',
  ],
])('a container with %s', (_name, conditions, expected) => {
  expect(containerHealth(conditions)).toBe(expected);
});
