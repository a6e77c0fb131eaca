/**
 * `npm start`: a cluster in network namespaces, a Marathon, the controller, and clients that never stop asking while
 * an app is deployed, scaled and loses an instance; then one becomes a black hole. Runs in the lab (test/lab). With
 * --keep it stays afterwards.
 *
 * Ends with 0 only when everything was as expected and no request failed.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../support/marathon/json.ts';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';
import { createNetwork } from '../support/network.ts';
import { must, waitFor } from '../support/shell.ts';
import { blackHole } from './black-hole.ts';
import { type Client, containerClient, hostClient, since } from './clients.ts';
import { type Controller, diff, LOG, startController, vipOfDiff } from './controller.ts';
import { watchGrowth } from './growth.ts';
import { stay } from './keep.ts';
import { backendsInKernel, untilBackends } from './kernel.ts';
import type { Tally } from './load.ts';
import { AGENTS, CLUSTER, CONTAINER, MASTER } from './network.ts';
import { bold, heading, moment, print, quote, seconds, shellLine, spread } from './show.ts';

const APP = '/my-service';
/**
 * The documentation's example, as an app that answers HTTP on its port and is checked there. A new instance grows to its share
 * for three seconds. Clients connect for milliseconds: of such connections wrr gives it exactly its weight (docs/slow-start.md).
 */
const MY_SERVICE: JsonObject = {
  id: APP,
  cmd: 'exec node test/demo/instance.mjs',
  cpus: 1,
  instances: 3,
  // An instance that is told to end goes on for as long as clients ask it.
  taskKillGracePeriodSeconds: 30,
  portDefinitions: [
    {
      protocol: 'tcp',
      port: 5555,
      labels: { VIP_0: '/my-service:5555', IPVS_SCHEDULER: 'wrr', IPVS_SLOW_START_SECONDS: '3' },
      name: 'my-vip',
    },
  ],
  healthChecks: [
    { protocol: 'HTTP', path: '/health', portIndex: 0, intervalSeconds: 1, gracePeriodSeconds: 30 },
  ],
};
/** How long the clients ask before anything changes, and after the last change. */
const STEADY_MS = 1500;

const problems: string[] = [];

function expect(holds: boolean, what: string): void {
  if (holds) return;
  problems.push(what);
  print(bold(`  NOT AS EXPECTED: ${what}`));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function deploy(): Promise<TestMarathon> {
  heading('A cluster: three agents, a container, and Marathon with the app /my-service');
  await createNetwork(CLUSTER);
  const marathon = await startMarathon({ port: 8080, agents: AGENTS, checkFrom: MASTER, output: 'inherit' });
  for (const [key, value] of Object.entries(MY_SERVICE)) quote(`${key}: ${JSON.stringify(value)}`);
  await marathon.addApp(MY_SERVICE);
  for (const task of marathon.tasks(APP)) moment(`${task['id']} runs at ${backendOf(task)}`);
  return marathon;
}

async function preview(source: string): Promise<void> {
  heading('What the controller would do');
  shellLine(`marathon-ipvs diff --source ${source}`);
  const before = await diff(source);
  quote(before.stdout || before.stderr);
  expect(before.status === 1, `the diff ends with 1 (differences), not ${before.status}`);
}

/** Starts the controller; gives the VIP that it made, `address:port`. */
async function program(source: string): Promise<{ controller: Controller; vip: string }> {
  heading('It does so');
  shellLine(`marathon-ipvs run --source ${source} &`);
  const controller = await startController(source);
  moment('ready');
  const vip = await vipOfDiff();
  await showKernel();
  expect((await backendsInKernel(vip)).size === 3, 'the kernel has three backends');

  shellLine(`marathon-ipvs diff --source ${source}`);
  const after = await diff(source);
  quote(after.stdout || after.stderr);
  expect(after.status === 0, `the diff ends with 0 (none), not ${after.status}`);
  return { controller, vip };
}

async function showKernel(): Promise<void> {
  shellLine('ipvsadm -Ln');
  quote(await must(['ipvsadm', '-Ln']));
}

async function oneRequest(url: string): Promise<void> {
  heading('One request from the host, one from the container');
  for (const prefix of [[], ['ip', 'netns', 'exec', CONTAINER]]) {
    const line = [...prefix, 'curl', '-sS', '-m', '5', url];
    shellLine(line.join(' '));
    quote(await must(line));
  }
}

async function underLoad(marathon: TestMarathon, vip: string, clients: readonly Client[]): Promise<void> {
  heading('Both ask on and on, each time by a new connection; meanwhile five instances, and one is killed');
  for (const { name, tally } of clients) {
    await waitFor(`an answer to the ${name}`, async () => (tally().requests > 0 ? true : undefined));
  }
  const three = await untilBackends(vip, 3);
  await watch('three instances', clients, three);

  shellLine(`curl -X PUT ${marathon.url}/v2/apps${APP} -d '{"instances": 5}'`);
  await api(marathon, 'PUT', `/v2/apps${APP}`, { instances: 5 });
  const growing = watchGrowth(clients);
  const five = await untilBackends(vip, 5);
  growing.show(newIn(five, three), five.length, expect);
  await watch('five instances', clients, newIn(five, three));

  const [victim] = marathon.tasks(APP);
  if (!victim) throw new Error('no task to kill');
  const killed = backendOf(victim);
  shellLine(`curl -X DELETE ${marathon.url}/v2/apps${APP}/tasks/${victim['id']}`);
  await api(marathon, 'DELETE', `/v2/apps${APP}/tasks/${victim['id']}`);
  moment(`${killed} is told to end`);
  await waitFor('weight 0', async () => ((await backendsInKernel(vip)).get(killed) ?? 0) === 0 || undefined);
  moment(`${killed} gets no new connections`);
  await waitFor('removed', async () => !(await backendsInKernel(vip)).has(killed) || undefined);
  moment(`${killed} has ended and is out of the kernel`);
  const replacing = watchGrowth(clients);
  const again = await untilBackends(vip, 5);
  replacing.show(newIn(again, five), again.length, expect);
  await showKernel();
}

function newIn(now: readonly string[], before: readonly string[]): readonly string[] {
  return now.filter((backend) => !before.includes(backend));
}

/** Lets the clients ask for a while in which nothing changes; each of `expected` should answer each of them. */
async function watch(what: string, clients: readonly Client[], expected: readonly string[]): Promise<void> {
  const watched = clients.map((client) => ({ client, before: client.tally() }));
  await pause(STEADY_MS);
  for (const { client, before } of watched) {
    const now = client.tally();
    const answers = since(before, now);
    const requests = `${now.requests - before.requests} requests, ${now.failed - before.failed} failed`;
    moment(`${what}, asked by the ${client.name}: ${requests}`);
    spread(answers);
    for (const backend of expected) expect(answers.has(backend), `${backend} answers the ${client.name}`);
  }
}

async function api(marathon: TestMarathon, method: string, path: string, body?: JsonObject): Promise<void> {
  const response = await fetch(`${marathon.url}${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  expect(response.ok, `${method} ${path} is accepted, not answered with ${response.status}`);
}

function sumUp(tallies: ReadonlyMap<string, Tally>): void {
  heading('Summary');
  let requests = 0;
  let failed = 0;
  for (const [name, tally] of tallies) {
    requests += tally.requests;
    failed += tally.failed;
    print(`  ${name.padEnd(9)}  ${tally.requests} requests, ${tally.failed} failed`);
    for (const error of tally.errors) print(`             ${error}`);
  }
  expect(failed === 0, `no request fails, but ${failed} did`);
  expect(requests > 100, 'there was load');
  const verdict = problems.length === 0 ? 'All as expected' : `${problems.length} not as expected`;
  print(bold(`  ${verdict}: ${requests} requests, ${failed} failed, ${seconds()} s.`));
}

function backendOf(task: JsonObject): string {
  const ports = task['ports'];
  return `${task['host']}:${Array.isArray(ports) ? ports[0] : ''}`;
}

const ROOT = join(import.meta.dirname, '..', '..');
process.chdir(ROOT);
process.env['PATH'] = `${ROOT}/node_modules/.bin:${ROOT}/controller:${process.env['PATH']}`;

try {
  const marathon = await deploy();
  const source = `marathon=${marathon.url}`;
  await preview(source);
  const { controller, vip } = await program(source);
  const url = `http://${vip}/`;
  await oneRequest(url);
  const clients = [hostClient(url), containerClient(url)];
  await underLoad(marathon, vip, clients);
  const tallies = new Map<string, Tally>();
  for (const client of clients) tallies.set(client.name, await client.stop());
  await blackHole(marathon.tasks(APP), vip, url, expect);
  sumUp(tallies);
  if (process.argv.includes('--keep')) await stay(source, url);
  expect((await controller.stop()) === 0, 'the controller ends with 0');
  await marathon.close();
} catch (error) {
  expect(false, error instanceof Error ? error.message : String(error));
}
if (problems.length > 0) showLog();
process.exit(problems.length === 0 ? 0 : 1);

function showLog(): void {
  try {
    heading("The end of the controller's log");
    quote(readFileSync(LOG, 'utf8').split('\n').slice(-20).join('\n'));
  } catch {
    print('  there is none');
  }
}
