import { expect, test } from '@jest/globals';
import { metadataSchema, type Versioned } from '../../../controller/kubernetes/listing.ts';
import { Reflector } from '../../../controller/kubernetes/reflector.ts';
import { collectionPath, MARATHON_APPS } from '../../../controller/kubernetes/resources.ts';
import {
  clientOf,
  clock,
  inBackground,
  removeApp,
  startServer,
  writeApp,
} from '../source/kubernetes/setup.ts';
import { until } from '../source/support.ts';

test('each version of an object is told once, over a restart that costs another list too', async () => {
  const server = await startServer();
  for (const name of ['a', 'b']) writeApp(server, name);
  const told: string[] = [];
  let inStep = 0;
  const reflector = new Reflector<Versioned>({
    client: await clientOf(server),
    clock,
    path: collectionPath(MARATHON_APPS, null),
    project: (json) => metadataSchema.parse(json).metadata,
    listener: {
      changed: (before, now) =>
        told.push(`${before === null ? '+' : now === null ? '-' : '~'}${(now ?? before)?.name}`),
      behind: () => told.push('list'),
      inStep: () => {
        inStep += 1;
      },
      failed: () => undefined,
    },
    random: Math.random,
    silenceMs: 5_000,
  });
  inBackground((signal) => reflector.run(signal));
  await until('it is in step', () => inStep === 1);
  expect(told.splice(0)).toEqual(['list', '+a', '+b']);

  writeApp(server, 'a', '/a:81');
  removeApp(server, 'b');
  writeApp(server, 'c');
  await until('the watch has told', () => told.length === 3);
  expect(told.splice(0)).toEqual(['~a', '-b', '+c']);

  const away = server.restart(50, true);
  removeApp(server, 'c');
  server.operations.storage.compact();
  await away;
  await until('it is in step again', () => inStep >= 2 && told.length > 0);
  expect(told).toEqual(['list', '-c']);
  expect([...reflector.objects.keys()]).toEqual(['default/a']);
});
