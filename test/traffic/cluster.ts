/**
 * What a traffic test runs in:
 *
 *     host       10.9.0.1 ─┬─ bridge agents ────── agents     10.9.0.2 to .4, three agents with all instances
 *     (master    10.9.0.8) │
 *              172.17.0.1 ─┴─ bridge containers ── container  172.17.0.2, the client
 *
 * Marathon (two masters), the controller and IPVS are on the host; a service of another program is in the kernel's
 * table too.
 */

import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, ipvsadm, type RunningController, shell, TestHost } from '../support/host.ts';
import type { JsonObject } from '../support/marathon/json.ts';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';
import { createNetwork, type Network, type Topology } from '../support/network.ts';
import { PROGRAM } from '../support/program.ts';
import { HANG_MS } from '../support/waiting.ts';
import { type Backends, startBackends } from './backends.ts';
import { type Client, startClient } from './client.ts';
import type { Result } from './figures.ts';
import { backendsIn, inWords, wanted } from './kernel.ts';
import { table } from './report.ts';

const NETWORK: Topology = {
  here: {
    bridges: { agents: ['10.9.0.1/24', '10.9.0.8/24'], containers: ['172.17.0.1/16'] },
    routes: ['default via 10.9.0.254 dev agents'],
  },
  namespaces: {
    agents: {
      on: 'agents',
      addresses: ['10.9.0.2/24', '10.9.0.3/24', '10.9.0.4/24'],
      routes: ['default via 10.9.0.1'],
    },
    container: { on: 'containers', addresses: ['172.17.0.2/16'], routes: ['default via 172.17.0.1'] },
  },
};

export const APP = '/my-service';
/** The address of that name, as DC/OS gives it. */
const ADDRESS = '11.134.217.55';
export const TCP_PORT = 5555;
export const UDP_PORT = 5353;
const VIPS = [
  { protocol: 'tcp', vip: `${ADDRESS}:${TCP_PORT}` },
  { protocol: 'udp', vip: `${ADDRESS}:${UDP_PORT}` },
] as const;
/** How long instances serve on once they were asked to end. */
export const LINGER_MS = 3_000;
const UNRELATED = 'unrelated.json';
const LAST_ANSWER_MS = 1_000;

interface Parts {
  readonly marathon: TestMarathon;
  readonly backends: Backends;
  readonly host: TestHost;
  readonly network: Network;
  /** The other program's service, in lines of `ipvsadm -Sn`. */
  readonly foreign: readonly string[];
}

export class Cluster {
  readonly marathon: TestMarathon;
  readonly backends: Backends;
  readonly host: TestHost;
  readonly results: Result[] = [];
  readonly #network: Network;
  readonly #foreign: readonly string[];
  #client: Client | null = null;
  #controller: RunningController | null = null;
  #options = '';

  private constructor(parts: Parts) {
    ({ marathon: this.marathon, backends: this.backends, host: this.host } = parts);
    this.#network = parts.network;
    this.#foreign = parts.foreign;
  }

  /** With three instances behind a VIP, and a client that asks them. */
  static async create(): Promise<Cluster> {
    const host = await TestHost.open();
    const network = await createNetwork(NETWORK);
    await shell(
      'ipvsadm -A -t 172.16.5.5:443 -s rr -p 60; ipvsadm -a -t 172.16.5.5:443 -r 172.16.5.6:443 -g -w 7',
    );
    const foreign = await ipvsadm();
    await writeFile(host.path(UNRELATED), '{"apps":[]}');
    const agents = ['10.9.0.2', '10.9.0.3', '10.9.0.4'].map((hostname) => ({ hostname }));
    const marathon = await startMarathon({ agents, checkFrom: '10.9.0.8', masters: 2 });
    const backends = await startBackends('agents', host.path('instances'));
    const cluster = new Cluster({ marathon, backends, host, network, foreign });
    cluster.start();
    await marathon.addApp(cluster.app(APP, 3));
    await cluster.controller.ready();
    await cluster.settled(3);
    const load = { address: ADDRESS, tcp: TCP_PORT, udp: UDP_PORT };
    cluster.#client = await startClient('container', load);
    return cluster;
  }

  get client(): Client {
    if (this.#client === null) throw new Error('no client runs');
    return this.#client;
  }

  /** An app of such instances with a VIP for each of its ports: HTTP and UDP. */
  app(id: string, instances: number, labels: JsonObject = {}): JsonObject {
    const port = (protocol: string, number: number) => ({
      protocol,
      port: 0,
      labels: { VIP_0: `${id}:${number}`, ...labels },
    });
    return {
      id,
      instances,
      cmd: this.backends.cmd,
      env: this.backends.env,
      portDefinitions: [port('tcp', TCP_PORT), port('udp', UDP_PORT)],
      healthChecks: [
        { protocol: 'HTTP', path: '/health', portIndex: 0, intervalSeconds: 1, gracePeriodSeconds: 60 },
      ],
      taskKillGracePeriodSeconds: 120,
    };
  }

  /** As a user of Marathon's API. */
  async api(method: string, path: string, body?: unknown): Promise<void> {
    const response = await fetch(`${this.marathon.url}${path}`, {
      method,
      // One that is kept may be closed by Marathon just when it is used again.
      headers: { connection: 'close' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }

  get controller(): RunningController {
    if (this.#controller === null) throw new Error('no controller runs');
    return this.#controller;
  }

  /** Starts the controller, not waiting until it is ready; `program` is the folder of another copy. */
  start(options: readonly string[] = [], program = PROGRAM): void {
    const sources = [`marathon=${this.marathon.urls.join(',')}`, `file=${this.host.path(UNRELATED)}`];
    const args = [...sources.flatMap((source) => ['--source', source]), ...options];
    this.#controller = this.host.startCopy(program, ...args);
    this.#options = options.join(' ');
  }

  /** Sees to it that a controller with these options runs and is ready; without options any will do. */
  async ready(options?: readonly string[]): Promise<void> {
    if (this.#controller !== null && options !== undefined && options.join(' ') !== this.#options)
      await this.end('SIGTERM');
    if (this.#controller === null) this.start(options);
    await this.controller.ready();
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const status = await this.controller.end(signal);
    this.#controller = null;
    return status;
  }

  /** Apps that have nothing to do with the load, instead of those that were. */
  async unrelated(apps: readonly unknown[]): Promise<void> {
    const path = this.host.path(UNRELATED);
    await writeFile(`${path}.new`, JSON.stringify({ apps }));
    await rename(`${path}.new`, path);
  }

  /** Resolves when no deployment runs, the app has so many healthy instances and both of its VIPs are in the kernel as they should be. */
  async settled(instances: number): Promise<void> {
    const late = sleep(HANG_MS, undefined, { ref: false }).then(() => {
      throw new Error(`a deployment did not end within ${HANG_MS / 1_000} s`);
    });
    await Promise.race([this.marathon.deployed(), late]);
    await this.inKernel(instances);
  }

  /** The same, although instances that were asked to end may still do so. */
  async inKernel(instances: number): Promise<void> {
    await eventually(async () => {
      await sleep(300);
      const tasks = this.marathon.tasks(APP);
      const healthy = [...wanted('tcp', tasks).values()].filter((weight) => weight === 1).length;
      if (healthy !== instances) throw new Error(`${healthy} of ${instances} instances are healthy`);
      const lines = await ipvsadm();
      for (const { protocol, vip } of VIPS) {
        const have = inWords(backendsIn(lines, protocol, vip));
        const want = inWords(wanted(protocol, this.marathon.tasks(APP)));
        if (have !== want) throw new Error(`the kernel has ${have} for ${vip}, not ${want}`);
      }
      return true;
    });
  }

  /**
   * Makes the change while the client asks, and waits until the app has so many instances and the kernel them; resolves
   * with what the client counted meanwhile. What `change` returns is added to `what`. Rejects when the other program's service has been touched.
   */
  async underLoad(
    what: string,
    instances: number,
    change: () => Promise<string | undefined>,
  ): Promise<Result> {
    this.backends.linger(LINGER_MS);
    await this.client.take();
    this.backends.takeLatest();
    const startedAt = Date.now();
    let result: Result;
    let remark = '';
    try {
      remark = (await change()) ?? '';
      await this.settled(instances);
    } finally {
      // What was asked last is answered, or lost, by then.
      await sleep(LAST_ANSWER_MS);
      const seconds = Math.round((Date.now() - startedAt) / 1_000);
      const figures = await this.client.take();
      result = { what: `${what}${remark}`, seconds, figures, latestMs: this.backends.takeLatest() };
      this.results.push(result);
      // At once: who waits for minutes sees that it moves, and what was seen when it ends early.
      process.stdout.write(table([result]));
    }
    const lines = await ipvsadm();
    const missing = this.#foreign.filter((line) => !lines.includes(line));
    if (missing.length > 0) throw new Error(`the other program's service has changed: ${missing.join('; ')}`);
    return result;
  }

  async close(): Promise<void> {
    await this.#client?.stop();
    await this.host.close();
    await this.marathon.close();
    await this.backends.stop();
    await this.#network.remove();
  }
}
