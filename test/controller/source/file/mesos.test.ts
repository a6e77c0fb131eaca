import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BOUNDS } from '../../../../controller/input/bounds.ts';
import { createFileSource } from '../../../../controller/source/file/source.ts';
import type { JsonObject } from '../../../support/marathon/json.ts';
import { TestCluster } from '../../../support/mesos/test-cluster.ts';
import { translate } from '../../desired/support.ts';
import { MARATHON, never, webTask } from '../mesos/setup.ts';
import { namesOf, reached, silent } from '../support.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mesos-file-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** What was recorded of a cluster with one task of `/web`: its state at the beginning, and the events since. */
function recording() {
  const events: JsonObject[] = [];
  const cluster = new TestCluster((event) => events.push(event));
  cluster.addFramework(MARATHON, 'marathon');
  cluster.addAgent('S0', '10.0.0.1');
  cluster.addTask(webTask(31001));
  events.length = 0;
  const subscribed = { type: 'SUBSCRIBED', subscribed: { get_state: cluster.state() } };
  return { cluster, events, subscribed };
}

async function write(name: string, content: string | object): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const lines = (...objects: readonly object[]) => objects.map((each) => `${JSON.stringify(each)}\n`).join('');
const source = (path: string) => createFileSource({ path, resolver: namesOf(), log: silent });

async function tasksIn(path: string): Promise<string[]> {
  const { apps } = await source(path).read(never);
  return apps.flatMap(({ id, tasks }) => tasks.map((task) => `${id} ${task.state} ${reached(task)}`.trim()));
}

describe('a file with Mesos data', () => {
  test.each(['{"id":"m","frameworks":[],"slaves":', '{"type":"HEARTBEAT","x":'])(
    'of millions of values is refused before it is parsed: %s',
    async (beginning) => {
      const { subscribed } = recording();
      const bomb = `${beginning}[0${',0'.repeat(BOUNDS.documentValues)}]}`;
      const path = await write('bomb', beginning.includes('type') ? `${lines(subscribed)}${bomb}` : bomb);
      await expect(source(path).read(never)).rejects.toThrow(`more than ${BOUNDS.documentValues} values`);
    },
  );

  // More than a call may have arguments (about 120,000), and no more than a list may have.
  test.each(['tasks', 'agents'])('may have 150,000 %s that cannot be read', async (what) => {
    const list = Array.from({ length: 150_000 }, () => 0);
    const get_state = {
      get_tasks: {},
      get_frameworks: {},
      get_agents: {},
      [`get_${what}`]: { [what]: list },
    };
    const path = await write('odd', { type: 'GET_STATE', get_state });
    expect((await source(path).read(never)).rejected).toHaveLength(150_000);
  });

  test('is refused when a list of the old form has more than any may have', async () => {
    const path = await write('odd', {
      id: 'm',
      frameworks: [],
      slaves: Array.from({ length: BOUNDS.items + 1 }, () => 0),
    });
    await expect(source(path).read(never)).rejects.toThrow(`slaves: more than ${BOUNDS.items} elements`);
  });

  test('may be a stream, whose last line counts', async () => {
    const { cluster, events, subscribed } = recording();
    cluster.addTask(webTask(31002));
    cluster.updateTask(webTask(31001).id, { state: 'KILLING' });
    const path = await write('stream.jsonl', lines(subscribed, { type: 'HEARTBEAT' }, ...events));
    expect(await tasksIn(path)).toEqual(['/web killing 10.0.0.1:31001', '/web running 10.0.0.1:31002']);
  });

  test('beside one with the definition: a bad label of a task that the definition lacks is reported with the file', async () => {
    const { cluster } = recording();
    cluster.addTask(webTask(31002, { ports: [{ number: 31002, labels: { VIP_0: 'nocolon' } }] }));
    const path = await write('state.json', { type: 'GET_STATE', get_state: cluster.state() });
    await write('apps.json', { id: '/web', cmd: 'x', portDefinitions: [{ labels: { VIP_0: '/web:80' } }] });
    const { apps } = await source(directory).read(never);
    expect(translate(...apps).rejected).toEqual([
      {
        app: '/web',
        at: 'discovery.ports.ports[0].labels.VIP_0',
        value: 'nocolon',
        reason: `expected NAME:PORT or IP:PORT (in a task that only file=${path} knows)`,
      },
    ]);
  });

  test.each([undefined, 2])('may be a GET_STATE reply, laid out with %p blanks', async (space) => {
    const { cluster } = recording();
    const reply = { get_state: cluster.state(), type: 'GET_STATE' };
    const path = await write('state.json', JSON.stringify(reply, null, space));
    expect(await tasksIn(path)).toEqual(['/web running 10.0.0.1:31001']);
  });

  test('may be an agent’s replies, one per line, one of which contains its address', async () => {
    const { cluster } = recording();
    const { get_frameworks, get_tasks } = cluster.state();
    const tasks = Object.values(get_tasks as object)[0];
    const state = { type: 'GET_STATE', get_state: { get_frameworks, get_tasks: { launched_tasks: tasks } } };
    const agent = {
      type: 'GET_AGENT',
      get_agent: { agent_info: { id: { value: 'S0' }, hostname: '10.0.0.1' } },
    };
    const path = await write('agent.jsonl', lines(state, agent));
    expect(await tasksIn(path)).toEqual(['/web running 10.0.0.1:31001']);
  });

  test('may be the old /state of a master without any task', async () => {
    const path = await write('state.json', { id: 'm', hostname: '10.0.0.1', slaves: [], frameworks: [] });
    expect(await tasksIn(path)).toEqual([]);
  });

  test.each<[string, (text: string) => string, RegExp]>([
    ['a line that is cut', (text) => text.slice(0, -5), /invalid Mesos data: line 2: /],
    [
      'a line that is no JSON',
      (text) => text.replace('{"type":"TASK_ADDED"', '{"type";"TASK_ADDED"'),
      /line 2: /,
    ],
    [
      'a state without lists',
      () => '{"type":"SUBSCRIBED","subscribed":{"get_state":{}}}',
      /line 1: SUBSCRIBED without/,
    ],
  ])('with %s cannot be used, and the line is named', async (_what, damage, message) => {
    const { cluster, events, subscribed } = recording();
    cluster.addTask(webTask(31002));
    const path = await write('stream.jsonl', damage(lines(subscribed, ...events)));
    await expect(source(path).read(never)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(message),
    });
  });

  test.each(['GET_TASKS', 'GET_AGENTS', 'ERROR', 'HEARTBEAT', 'TASK_UPDATED', 'OF_THE_FUTURE'])(
    'with %s and no state cannot be used',
    async (type) => {
      const path = await write(
        'stream.jsonl',
        lines({ type, [type.toLowerCase()]: {} }, { type: 'HEARTBEAT' }),
      );
      const message = `file ${path}: invalid Mesos data: there is no state in it: expected a GET_STATE reply or a SUBSCRIBED event`;
      await expect(source(path).read(never)).rejects.toMatchObject({ code: 'usage', message });
      const { rejected } = await source(directory).read(never);
      expect(rejected).toEqual([{ app: path, at: '', value: '', reason: message }]);
    },
  );

  test.each([
    ['get_state.get_tasks.tasks', { get_tasks: { tasks: 'x' }, get_frameworks: {} }],
    ['get_state.get_agents', { get_tasks: {}, get_frameworks: {}, get_agents: 7 }],
  ])('with something else in place of %s cannot be used', async (at, get_state) => {
    const path = await write('state.json', { type: 'GET_STATE', get_state });
    await expect(source(path).read(never)).rejects.toThrow(`${at}: expected`);
  });

  test('gives the same app objects while nothing changes', async () => {
    const { subscribed } = recording();
    const path = await write('stream.jsonl', lines(subscribed));
    const files = source(path);
    const first = await files.read(never);
    await writeFile(path, lines(subscribed, { type: 'HEARTBEAT' }));
    expect(await files.read(never)).toEqual(first);
  });

  test('beside others in a directory adds to the apps that they list', async () => {
    const folder = join(directory, 'agents');
    await mkdir(folder);
    for (const index of [1, 2]) {
      const { cluster } = recording();
      cluster.tasks.clear();
      cluster.addTask(webTask(31000 + index));
      await write(`agents/${index}.json`, { type: 'GET_STATE', get_state: cluster.state() });
    }
    expect(await tasksIn(folder)).toEqual(['/web running 10.0.0.1:31001', '/web running 10.0.0.1:31002']);
    const { apps, rejected } = await source(folder).read(never);
    expect([apps.length, rejected]).toEqual([1, []]);
  });
});
