import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { SIMULATED, start } from '../../../../support/marathon-harness.ts';
import { type } from './commanding.ts';

test('app list shows each app with its instances and VIPs', async () => {
  const marathon = await start();
  expect((await type(marathon.url, ['app', 'list'])).out).toBe('no apps\n');
  await marathon.addApp({ ...SIMULATED, instances: 2 });
  await marathon.addApp({ ...SIMULATED, id: '/batch', portDefinitions: [] });
  const { out } = await type(marathon.url, ['app', 'list']);
  expect(out.split('\n')).toEqual([
    expect.stringMatching(/^APP +INSTANCES +DEPLOYMENT +VIPS$/),
    expect.stringMatching(/^\/batch +1\/1 +- +-$/),
    expect.stringMatching(/^\/my-service +2\/2 +- +my-service\.marathon:5555$/),
    '',
  ]);
  expect((await type(marathon.url, ['app', 'list', '-o', 'wide'])).out).toMatch(
    / CPUS +MEM +VERSION +RUNS\n/,
  );
  const json = JSON.parse((await type(marathon.url, ['app', 'list', '-o', 'json'])).out);
  expect(json).toMatchObject([{ id: '/my-service', tasksRunning: 2 }, { id: '/batch' }]);
});

test('app show prints the VIPs of an app, and its tasks with their addresses', async () => {
  const marathon = await start();
  await marathon.addApp({ ...SIMULATED, instances: 2 });
  const { out, status } = await type(marathon.url, ['app', 'show', 'my-service']);
  expect(status).toBe(0);
  expect(out).toMatch(/^\/my-service: 2 of 2 instances running\n\nVIP .*\nmy-service\.marathon\./);
  const { host, ports } = marathon.tasks('/my-service')[0] as { host: string; ports: number[] };
  expect(out).toMatch(/\n\nTASK +STATE +HEALTH +REACHED AT\n/);
  expect(out).toContain(` running  unchecked  ${host}:${ports[0]}\n`);
  expect((await type(marathon.url, ['app', 'show', '/my-service', '-o', 'wide'])).out).toContain(
    'ON ITS OWN HOST',
  );
  const yaml = await type(marathon.url, ['app', 'show', '/my-service', '-o', 'yaml']);
  expect(parse(yaml.out)).toMatchObject({ id: '/my-service', tasks: [{}, {}] });
  expect(await type(marathon.url, ['app', 'show', '/none'])).toMatchObject({
    status: 2,
    complaints: ['app /none does not exist; app list shows all apps'],
  });
});

test.each(['my-service/tasks', '/my-service/versions', '*', '/my-service/*', '..', '//', 'UPPER', 'a b'])(
  'app remove %j is refused before anything is asked of Marathon',
  async (id) => {
    for (const words of [
      ['app', 'remove', id],
      ['app', 'show', id],
      ['app', 'update', id, 'instances=0'],
    ]) {
      await expect(type('http://127.0.0.1:1', words)).rejects.toThrow(
        new RegExp(`^${words[0]} ${words[1]} ".*": (expected a Marathon id|.* is a path of Marathon's API)`),
      );
    }
  },
);
