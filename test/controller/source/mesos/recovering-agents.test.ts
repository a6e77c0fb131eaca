import { beforeEach, expect, test } from '@jest/globals';
import {
  LATE_TASKS_MS,
  RECHECK_MS,
  REREGISTER_MS,
  RecoveringAgents,
} from '../../../../controller/source/mesos/recovering-agents.ts';

const FAILOVER = 1_000;
const DUE = FAILOVER + REREGISTER_MS;
const RECOVERED = new Map([
  ['S1', { host: 'b.example' }],
  ['S0', { host: 'a.example' }],
]);
const set = (...ids: string[]): ReadonlySet<string> => new Set(ids);
let agents: RecoveringAgents;

beforeEach(() => {
  agents = new RecoveringAgents();
  agents.replace(RECOVERED, FAILOVER);
});

test('tasks may be missing as long as the master waits for an agent, and it is queried once that time can be over', () => {
  expect(agents.hosts).toEqual(['a.example', 'b.example']);
  expect([agents.until, agents.nextCheck]).toEqual([Number.POSITIVE_INFINITY, DUE]);
});

test('once every agent has come back, tasks may be missing a moment longer, and the master is not queried', () => {
  agents.cameBack('S0', 5_000);
  expect([agents.until, agents.nextCheck]).toEqual([Number.POSITIVE_INFINITY, DUE]);
  agents.cameBack('S1', 8_000);
  expect([agents.until, agents.nextCheck]).toEqual([8_000 + LATE_TASKS_MS, Number.POSITIVE_INFINITY]);
});

test('an agent that comes back again gets no more time', () => {
  for (const now of [5_000, 8_000]) agents.cameBack('S0', now);
  agents.cameBack('S1', 2_000);
  expect(agents.until).toBe(5_000 + LATE_TASKS_MS);
});

test('each is forgotten some time after it came back, and other agents are ignored', () => {
  agents.cameBack('S0', 5_000);
  agents.cameBack('S9', 5_000);
  agents.expire(5_000 + LATE_TASKS_MS);
  expect(agents.hosts).toEqual(['b.example']);
  agents.expire(DUE + REREGISTER_MS);
  expect(agents.hosts).toEqual(['b.example']);
});

test('another subscription to the same master does not restart the time', () => {
  agents.replace(new Map([['S0', { host: 'a.example' }]]), FAILOVER + 300_000);
  expect(agents.nextCheck).toBe(DUE);
});

test('an agent that a second failover removes again gets its full time', () => {
  agents.cameBack('S0', 5_000);
  agents.cameBack('S1', 5_000);
  agents.replace(RECOVERED, 6_000);
  expect(agents.nextCheck).toBe(6_000 + REREGISTER_MS);
});

test('the master gives up the agents that it neither has nor waits for', () => {
  expect(agents.givenUp({ registered: set('S0', 'S7'), recovering: set() }, DUE)).toEqual(['S1']);
});

test('the master is queried again after a pause about the agents that it still waits for, however long its own timeout is', () => {
  expect(agents.givenUp({ registered: set(), recovering: set('S0', 'S1') }, DUE)).toEqual([]);
  expect(agents.nextCheck).toBe(DUE + RECHECK_MS);
});

test('an agent that came back during the query is not given up', () => {
  agents.cameBack('S1', DUE);
  expect(agents.givenUp({ registered: set(), recovering: set('S0') }, DUE)).toEqual([]);
});

test('there may be more of them than a call may have arguments', () => {
  const agents = new RecoveringAgents();
  agents.replace(new Map(Array.from({ length: 200_000 }, (_, i) => [`S${i}`, null])), 0);
  expect(agents.until).toBe(Number.POSITIVE_INFINITY);
  expect(agents.nextCheck).toBeGreaterThan(0);
});
