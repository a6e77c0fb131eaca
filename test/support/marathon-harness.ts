/** What the tests of the test Marathon share: start one, call it, wait for it. Each ends with its test. */

import { afterEach } from '@jest/globals';
import { type MarathonOptions, startMarathon, type TestMarathon } from './marathon/start-marathon.ts';

const running: TestMarathon[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((marathon) => marathon.close()));
});

export async function start(options: MarathonOptions = {}): Promise<TestMarathon> {
  const marathon = await startMarathon(options);
  running.push(marathon);
  return marathon;
}

export async function call(marathon: TestMarathon, method: string, path: string, body?: unknown) {
  const response = await fetch(`${marathon.url}${path}`, {
    method,
    redirect: 'manual',
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: tryParse(text) };
}

export function tryParse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Waits until a condition of a live system holds; the test's own time limit ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

export const EXAMPLE = {
  id: '/my-service',
  cmd: 'sleep 1000',
  portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' }, name: 'my-vip' }],
};

export const SIMULATED = { ...EXAMPLE, cmd: null, container: { type: 'DOCKER', docker: { image: 'x' } } };

export function statesOf(marathon: TestMarathon, taskId: unknown): unknown[] {
  return marathon.events
    .filter((event) => event.eventType === 'status_update_event' && event['taskId'] === taskId)
    .map((event) => event['taskStatus']);
}
