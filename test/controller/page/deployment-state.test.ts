import { describe, expect, test } from '@jest/globals';
import type { DeploymentDocument } from '../../../controller/api/documents.ts';
import {
  begun,
  deploymentState,
  type Goal,
  pauseAfter,
  vipsIn,
} from '../../../controller/page/form/deployment-state.ts';
import type { JsonObject } from '../../../controller/page/form/json.ts';
import { readForm } from '../../../controller/page/form/read.ts';

const GOAL: Goal = { deployment: 'd1', app: '/web', vips: 2 };
const REMOVAL: Goal = { ...GOAL, vips: 'gone' };
const STEP = { step: 2, steps: 3, actions: ['ScaleApplication /web'] };

function seen(over: Partial<DeploymentDocument> = {}): DeploymentDocument {
  const instances = { wanted: 3, running: 3, ready: 3, checked: true };
  const rest = { progress: null, others: [], failure: null, backendsInRotation: 6 };
  return { deployment: 'd1', app: '/web', instances, ...rest, ...over };
}
const two = { wanted: 3, running: 3, ready: 2, checked: true };

describe('a deployment', () => {
  test('shows its id before the first answer', () => {
    expect(begun(GOAL)).toEqual({ state: 'runs', text: 'Marathon has started deployment d1' });
  });

  test('that runs shows step, instances and backends on this host, like the command', () => {
    expect(deploymentState(seen({ progress: STEP, instances: two, backendsInRotation: 1 }), GOAL)).toEqual({
      state: 'runs',
      text: 'step 2 of 3 (ScaleApplication /web); 2 of 3 instances healthy; 1 backend in rotation on this host',
    });
  });

  test("that makes no progress shows Marathon's message about the last task", () => {
    const failure = 'TASK_FAILED: exit 1';
    expect(deploymentState(seen({ progress: STEP, failure }), GOAL).text).toMatch(
      /; its last task failed: TASK_FAILED: exit 1$/,
    );
  });

  test('is done once every VIP here has every instance', () => {
    const text = '3 of 3 instances healthy; 6 backends in rotation on this host';
    expect(deploymentState(seen(), GOAL)).toEqual({ state: 'done', text });
    expect(deploymentState(seen({ backendsInRotation: 5 }), GOAL).state).toBe('applying');
  });

  test('of an app without VIPs is done with Marathon', () => {
    expect(deploymentState(seen({ backendsInRotation: 0 }), { ...GOAL, vips: 0 }).state).toBe('done');
  });

  test('that is over with too few instances was cancelled or failed', () => {
    expect(deploymentState(seen({ instances: two, failure: 'TASK_LOST' }), GOAL)).toEqual({
      state: 'ended',
      text: 'deployment d1 was cancelled or did not finish: 2 of 3 instances healthy; 6 backends in rotation on this host; its last task failed: TASK_LOST',
    });
    expect(deploymentState(seen({ instances: null, backendsInRotation: 0 }), GOAL).text).toContain(
      'the app does not exist at Marathon',
    );
  });

  test('that was replaced names the other deployment', () => {
    const { state, text } = deploymentState(seen({ others: ['d2'] }), GOAL);
    expect([state, text]).toEqual(['ended', expect.stringContaining('deployment d2 is now changing it')]);
  });

  test('that removes is done once neither Marathon nor this host has the app', () => {
    const gone = { instances: null, backendsInRotation: 0 };
    expect(deploymentState(seen(gone), REMOVAL)).toEqual({
      state: 'done',
      text: '0 backends in rotation on this host',
    });
    expect(deploymentState(seen({ ...gone, backendsInRotation: 1 }), REMOVAL).state).toBe('applying');
    expect(deploymentState(seen(), REMOVAL)).toMatchObject({
      state: 'ended',
      text: expect.stringContaining('the app still exists'),
    });
  });
});

test('is polled every second, and less often while that fails', () => {
  expect([0, 1, 2, 4, 5, 60].map(pauseAfter)).toEqual([1_000, 2_000, 4_000, 16_000, 30_000, 30_000]);
});

const VIP = { VIP_0: '/web:80' };
test.each<[string, JsonObject, number]>([
  ['none', {}, 0],
  [
    'host networking',
    { portDefinitions: [{ port: 0, labels: { ...VIP, VIP_1: '10.1.2.3:80' } }, { port: 0 }] },
    2,
  ],
  ['both protocols', { portDefinitions: [{ port: 0, protocol: 'udp,tcp', labels: VIP }] }, 2],
  [
    'a virtual network',
    {
      networks: [{ mode: 'container', name: 'dcos' }],
      container: { portMappings: [{ containerPort: 80, labels: VIP }] },
    },
    1,
  ],
  ['what the form does not show', { networks: [{ mode: 'container' }, { mode: 'container' }] }, 0],
])('VIPs are counted: %s', (_, app, count) => {
  expect(vipsIn(readForm({ id: '/web', ...app }))).toBe(count);
});
