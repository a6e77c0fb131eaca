import { afterEach, beforeEach } from '@jest/globals';
import { createMesosSource, type MesosSourceOptions } from '../../../../controller/source/mesos/source.ts';
import { type MesosOptions, startMesos, type TestMesos } from '../../../support/mesos/start-mesos.ts';
import type { TestTask } from '../../../support/mesos/task-json.ts';
import { namesOf, reached, TestListener, until } from '../support.ts';

export let mesos: TestMesos;
let started: TestMesos[];
let stop: AbortController;
let following: Promise<void>[];

export const MARATHON = 'f-0001';
export const KAFKA = 'f-0002';
export const UUID = '0ef76549-2630-11e8-af52-70b3d5800001';

/** A task of Marathon's app `/web` on the host network of agent S0, by default. */
export function webTask(port: number, fields: Partial<TestTask> = {}): TestTask {
  return {
    id: `web.${UUID.slice(0, -5)}${port}`,
    name: 'web',
    framework: MARATHON,
    agent: 'S0',
    addresses: ['10.0.0.1'],
    ports: [{ number: port, labels: { VIP_0: '/web:80' } }],
    ...fields,
  };
}

/** Gives every test of the file that calls this a Mesos of its own, and ends what the test left. */
export function useMesos(): void {
  beforeEach(async () => {
    started = [];
    mesos = await start();
    stop = new AbortController();
    following = [];
    fill(mesos);
  });

  afterEach(async () => {
    stop.abort();
    await Promise.all(following);
    await Promise.all(started.map((each) => each.close()));
  });
}

export async function start(options: MesosOptions = {}): Promise<TestMesos> {
  const running = await startMesos(options);
  started.push(running);
  return running;
}

/** Marathon and Kafka on two agents, with one task of `/web`. */
export function fill({ cluster }: TestMesos): void {
  cluster.addFramework(MARATHON, 'marathon');
  cluster.addFramework(KAFKA, 'kafka');
  cluster.addAgent('S0', '10.0.0.1');
  cluster.addAgent('S1', '10.0.0.2');
  cluster.addTask(webTask(31001));
}

export function source(options: Partial<MesosSourceOptions> = {}) {
  const retry = { firstMs: 10, limitMs: 50 };
  return createMesosSource({ where: mesos.urls.join(','), resolver: namesOf(), retry, ...options });
}

/** Starts to follow and does not wait; the end of the test ends it. */
export function startFollowing(options: Partial<MesosSourceOptions> = {}): TestListener {
  const listener = new TestListener();
  following.push(source(options).follow(listener, stop.signal));
  return listener;
}

/** Follows, from the first state on. */
export async function followed(options: Partial<MesosSourceOptions> = {}): Promise<TestListener> {
  const listener = startFollowing(options);
  await until('the first state', () => listener.snapshots.length > 0);
  return listener;
}

/** `31001 running` of each task of an app, with where it is reached. */
export function tasksOf(listener: TestListener, id = '/web'): string[] {
  return (listener.app(id)?.tasks ?? []).map((task) => `${task.state} ${reached(task)}`.trim());
}

/** Never aborts. */
export const never = new AbortController().signal;
