/** What files give after a restart of which something cannot be read. */

import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Snapshot } from '../../../../controller/model/snapshot.ts';
import { createFileSource } from '../../../../controller/source/file/source.ts';
import { taskJson } from '../../../support/mesos/task-json.ts';
import { MARATHON, webTask } from '../mesos/setup.ts';
import { namesOf, reached, silent } from '../support.ts';

let directory: string;
let loads: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'file-saved-'));
  loads = [];
});
afterEach(() => rm(directory, { recursive: true }));

const never = new AbortController().signal;
const write = (name: string, json: unknown) =>
  writeFile(join(directory, name), typeof json === 'string' ? json : JSON.stringify(json));
const app = (id: string, ports: unknown = [31000]) => ({
  id,
  cmd: 'x',
  portDefinitions: [{ labels: { VIP_0: `${id}:80` } }],
  tasks: [{ id: `${id}.1`, host: '10.0.0.1', state: 'TASK_RUNNING', ports }],
});
const served = ({ apps }: Snapshot) =>
  apps
    .map(({ id, ports, tasks }) => `${id} ${ports[0]?.labels['VIP_0']} ${tasks.map(reached).join()}`)
    .sort();
const rejected = ({ rejected: all }: Snapshot) => all.map((each) => each.app.replace(`${directory}/`, ''));

/** A source of another process, which finds what this one has saved. */
async function restarted(path = directory) {
  const options = { path, resolver: namesOf(), log: silent };
  const { apps } = await createFileSource(options).read(never);
  const saved = async (source: string) => {
    loads.push(source);
    return { apps };
  };
  return createFileSource({ ...options, saved });
}

const [A, B] = ['/a /a:80 10.0.0.1:31000', '/b /b:80 10.0.0.1:31000'];

test('a task that cannot be read is what it was', async () => {
  await write('a.json', app('/a'));
  const source = await restarted();
  await write('a.json', app('/a', ['x']));
  expect(served(await source.read(never))).toEqual([A]);
  expect(loads).toEqual([`file=${directory}`]);
});

test('so is a task of recorded Mesos data', async () => {
  const state = (change: object) => ({
    type: 'GET_STATE',
    get_state: {
      get_tasks: { tasks: [{ ...taskJson(webTask(31001)), ...change }] },
      get_frameworks: { frameworks: [{ framework_info: { id: { value: MARATHON }, name: 'marathon' } }] },
      get_agents: { agents: [{ agent_info: { id: { value: 'S0' }, hostname: '10.0.0.1' } }] },
    },
  });
  await write('mesos.json', state({}));
  const source = await restarted();
  await write('mesos.json', state({ agent_id: 7 }));
  const serves = ['/web /web:80 10.0.0.1:31001'];
  expect(served(await source.read(never))).toEqual(serves);
  // While it runs it knows by itself.
  await write('mesos.json', state({ agent_id: 8 }));
  expect(served(await source.read(never))).toEqual(serves);
  expect(loads).toHaveLength(1);
});

test('apps that no file defines any more stay until every file of the directory has been read', async () => {
  for (const name of ['a', 'b', 'c']) await write(`${name}.json`, app(`/${name}`));
  const source = await restarted();
  await write('a.json', '{');
  await write('b.json', '[');
  const broken = await source.read(never);
  expect(served(broken)).toEqual([A, B, '/c /c:80 10.0.0.1:31000']);
  expect(rejected(broken)).toEqual(['a.json', 'b.json']);
  await write('a.json', app('/a', [31009]));
  const half = await source.read(never);
  expect(served(half)).toEqual(['/a /a:80 10.0.0.1:31009', B, '/c /c:80 10.0.0.1:31000']);
  expect(rejected(half)).toEqual(['b.json']);
  await write('b.json', []);
  expect(served(await source.read(never))).toEqual(['/a /a:80 10.0.0.1:31009', '/c /c:80 10.0.0.1:31000']);
  // What becomes unreadable now has been read since the start.
  await unlink(join(directory, 'a.json'));
  await write('c.json', '{');
  expect(served(await source.read(never))).toEqual(['/c /c:80 10.0.0.1:31000']);
  expect(loads).toHaveLength(1);
});

test('readable apps follow the files, without a read of the saved state', async () => {
  for (const name of ['a', 'b']) await write(`${name}.json`, app(`/${name}`));
  const source = await restarted();
  await unlink(join(directory, 'a.json'));
  expect(served(await source.read(never))).toEqual([B]);
  expect(loads).toEqual([]);
});

test('a single file that cannot be read still fails the read, and the next one knows what was saved', async () => {
  const path = join(directory, 'a.json');
  await write('a.json', app('/a'));
  const source = await restarted(path);
  await write('a.json', '{');
  await expect(source.read(never)).rejects.toThrow('not JSON');
  await write('a.json', app('/a', ['x']));
  expect(served(await source.read(never))).toEqual([A]);
});
