import { beforeEach, expect, test } from '@jest/globals';
import {
  LATE_TASKS_MS,
  RECOVERY_MS,
  RecoveringAgents,
} from '../../../../controller/source/mesos/recovering-agents.ts';

const FAILOVER = 1_000;
let agents: RecoveringAgents;

beforeEach(() => {
  agents = new RecoveringAgents();
  agents.replace(
    new Map([
      ['S1', 'b.example'],
      ['S0', 'a.example'],
    ]),
    FAILOVER,
  );
});

test('after a failover, tasks may be missing until the new master gives its agents up, and a moment longer', () => {
  expect(agents.hosts).toEqual(['a.example', 'b.example']);
  expect(agents.until).toBe(FAILOVER + RECOVERY_MS + LATE_TASKS_MS);
});

test('once every agent has come back, what is left is the moment in which their tasks are told', () => {
  agents.cameBack('S0', 5_000);
  expect(agents.until).toBe(FAILOVER + RECOVERY_MS + LATE_TASKS_MS);
  agents.cameBack('S1', 8_000);
  expect(agents.until).toBe(8_000 + LATE_TASKS_MS);
});

test('an agent that comes back again gets no more time', () => {
  for (const now of [5_000, 8_000]) agents.cameBack('S0', now);
  agents.cameBack('S1', 2_000);
  expect(agents.until).toBe(5_000 + LATE_TASKS_MS);
});

test('each is forgotten when its time is over, and one that is not recovering is none', () => {
  agents.cameBack('S0', 5_000);
  agents.cameBack('S9', 5_000);
  agents.expire(5_000 + LATE_TASKS_MS);
  expect(agents.hosts).toEqual(['b.example']);
  agents.expire(FAILOVER + RECOVERY_MS + LATE_TASKS_MS);
  expect([agents.hosts, agents.until]).toEqual([[], null]);
});
