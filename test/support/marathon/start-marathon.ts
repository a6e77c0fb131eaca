/**
 * A small Marathon for tests and for `npm start`: it speaks the real API, runs what it is told to run, and fails in
 * the ways in which the real one fails. Never for production.
 */

import { createServer } from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { AgentOptions, PortRange } from './agents.ts';
import { controlRoutes } from './control.ts';
import { type Event, EventBus } from './events.ts';
import { HttpFaults } from './faults.ts';
import { Masters } from './masters.ts';
import { Operations } from './operations.ts';
import { appJson, podStatusJson, tasksJson } from './render.ts';
import { appRoutes } from './routes-apps.ts';
import { clusterRoutes } from './routes-cluster.ts';
import { podRoutes } from './routes-pods.ts';
import { Scheduler, type SchedulerOptions } from './scheduler.ts';
import { type Credentials, masterListener, type ServerParts } from './server.ts';
import type { TestMarathon } from './test-marathon.ts';

export type { TestMarathon } from './test-marathon.ts';

export interface MarathonOptions extends Partial<Omit<SchedulerOptions, 'agents' | 'portRange'>> {
  /** Defaults to one agent, `127.0.0.1`. */
  readonly agents?: readonly AgentOptions[];
  /** Host ports of each agent. Defaults to 20000 to 32767, below those that the kernel gives to clients. */
  readonly portRange?: PortRange;
  /** Defaults to `127.0.0.1`. */
  readonly host?: string;
  /** Of the first master; the others take any. Defaults to any. */
  readonly port?: number;
  /** How many masters serve this state; the first leads. Defaults to 1. */
  readonly masters?: number;
  /** Defaults to `marathon`. */
  readonly frameworkName?: string;
  /** What `/v2/info` says. Defaults to `1.11.24`. */
  readonly version?: string;
  /** Defaults to 10 s. */
  readonly keepAliveMs?: number;
  readonly credentials?: Credentials;
  /** Serve https with this key and certificate. */
  readonly tls?: TlsOptions;
  /** Defaults to true: deployment events come without the groups of the plan. */
  readonly lightPlans?: boolean;
}

const CALLER = { clientIp: '127.0.0.1', uri: '/v2/apps' };

export async function startMarathon(options: MarathonOptions = {}): Promise<TestMarathon> {
  const events = new EventBus(options.keepAliveMs ?? 10_000);
  const scheduler = new Scheduler({ ...schedulerDefaults(), ...options }, events);
  const operations = new Operations(scheduler, events);
  const masters = new Masters();
  masters.onLost = () => {
    events.closeStreams();
    for (const { instance, task } of scheduler.allTasks()) scheduler.tasks.forgetHealth(instance, task);
  };

  const { frameworkName = 'marathon', version = '1.11.24' } = options;
  const parts: ServerParts = {
    routes: [
      ...clusterRoutes(operations, masters, { frameworkName, version }),
      ...podRoutes(operations),
      ...appRoutes(operations),
    ],
    controlRoutes: controlRoutes(() => marathon),
    events,
    faults: new HttpFaults(),
    masters,
    credentials: options.credentials ?? {},
    scheme: options.tls ? 'https' : 'http',
    log: [],
    lightPlans: options.lightPlans ?? true,
  };
  const servers = await Promise.all(
    Array.from({ length: options.masters ?? 1 }, (_, index) => listen(index, parts, options)),
  );
  masters.addresses.push(...servers.map(({ address }) => address));
  const urls = masters.addresses.map((address) => `${parts.scheme}://${address}`);

  // Processes have their own groups: without this they would outlive a test run that ends by an error.
  const atExit = () => void scheduler.close();
  process.once('exit', atExit);

  const marathon: TestMarathon = {
    url: urls[0] ?? '',
    urls,
    faults: parts.faults,
    streamFaults: events.faults,
    requests: parts.log,
    events: events.history,
    get listenerCount() {
      return events.listenerCount;
    },

    async addApp(definition) {
      const { entry, done } = operations.createApp(definition, CALLER);
      await done;
      return appJson(operations, entry, new Set(['tasks', 'counts']));
    },
    async updateApp(id, update) {
      const definition = { ...operations.app(id).definition, ...update, id };
      await operations.writeApps([{ definition }], CALLER, false).done;
      return appJson(operations, operations.app(id), new Set(['tasks', 'counts']));
    },
    async removeApp(id) {
      await operations.deleteApps([id], CALLER, false).done;
    },
    async addPod(definition) {
      const { entry, done } = operations.writePod(definition, CALLER, false);
      await done;
      return podStatusJson(operations, entry);
    },
    async removePod(id) {
      await operations.deletePod(id, CALLER, false).done;
    },
    tasks: (appId) =>
      tasksJson(operations, null).filter((task) => appId === undefined || task['appId'] === appId),

    setTaskState(id, state) {
      const { instance, task } = found(id);
      if (task.process && state !== 'TASK_UNREACHABLE' && state !== 'TASK_RUNNING')
        task.process.signal('SIGKILL');
      scheduler.tasks.setState(instance, task, state);
    },
    setHealth(id, alive) {
      const { instance, task } = found(id);
      scheduler.tasks.setHealth(instance, task, alive);
    },
    setIpAddresses(id, addresses) {
      found(id).task.ipAddresses = addresses;
    },
    forgetVersion: (id, forgotten) => operations.catalogue.forgetVersion(id, forgotten),

    elect: (electionMs) => masters.elect(electionMs),
    endElection: () => masters.endElection(),
    async goDown() {
      events.closeStreams();
      await Promise.all(servers.map(({ close }) => close()));
    },
    async comeBack() {
      await Promise.all(servers.map(({ reopen }) => reopen()));
    },
    holdStarts: () => scheduler.tasks.holdStarts(),
    withholdHealth(withheld) {
      scheduler.tasks.withholdHealth(withheld);
      for (const { instance, task } of scheduler.allTasks()) scheduler.tasks.forgetHealth(instance, task);
    },
    closeStreams: () => events.closeStreams(),
    deployed: () => operations.deployments.idle(),
    nextEvent: (eventType) => nextEvent(events, eventType),
    async close() {
      process.off('exit', atExit);
      masters.close();
      events.close();
      operations.deployments.cancelAll();
      await Promise.all([scheduler.close(), ...servers.map(({ close }) => close())]);
    },
  };
  return marathon;

  function found(id: string) {
    const task = scheduler.find(id);
    if (!task) throw new Error(`no task or instance ${id}`);
    return task;
  }
}

function schedulerDefaults(): SchedulerOptions {
  return {
    agents: [{ hostname: '127.0.0.1' }],
    // From anywhere in it: test files that run at the same time on one machine should not meet on the same ports.
    portRange: { from: 20_000, to: 32_767, first: 20_000 + Math.floor(Math.random() * 12_000) },
    processes: true,
    output: 'ignore',
    startMs: 0,
    killMs: 5,
    simulatedHealth: 'healthy',
  };
}

async function listen(
  index: number,
  parts: ServerParts,
  { host = '127.0.0.1', port = 0, tls }: MarathonOptions,
) {
  const listener = masterListener(index, parts);
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  const open = (at: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, host, resolve);
    });
  await open(index === 0 ? port : 0);
  const bound = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: `${host}:${bound.port}`, close, reopen: () => open(bound.port) };
}

function nextEvent(events: EventBus, eventType: string): Promise<Event> {
  return new Promise((resolve) => {
    const end = events.observe((event) => {
      if (event.eventType !== eventType) return;
      end();
      resolve(event);
    });
  });
}
