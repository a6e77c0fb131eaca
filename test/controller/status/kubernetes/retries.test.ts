import { expect, test } from '@jest/globals';
import { ReferenceBook } from '../../../../controller/source/kubernetes/references.ts';
import { kubernetesSource } from '../../../../controller/source/kubernetes/source.ts';
import { StatusWriter } from '../../../../controller/status/kubernetes/writer.ts';
import { nothingRemembered } from '../../../support/builders.ts';
import { translator } from '../../desired/support.ts';
import {
  clientOf,
  clock,
  inBackground,
  never,
  startServer,
  writeApp,
} from '../../source/kubernetes/setup.ts';
import { silent, until } from '../../source/support.ts';
import { passOf } from '../passes.ts';

/** When the status of one object was sent to a server that refuses it with this status, in seconds between the attempts. */
async function pausesOf(status: number, attempts: number): Promise<readonly number[]> {
  const server = await startServer();
  writeApp(server, 'web');
  const at: number[] = [];
  server.faults.next(
    ({ path }) => {
      if (path.endsWith('/status')) at.push(clock.monotonic());
      return path.endsWith('/status');
    },
    { status, body: { kind: 'Status', code: status, message: 'no' } },
    100,
  );
  const client = await clientOf(server);
  const references = new ReferenceBook();
  const common = { client, clock, log: silent, namespace: null, identity: 'one' };
  const writer = new StatusWriter({ ...common, random: () => 0, references });
  inBackground((signal) => writer.run(signal));
  const source = kubernetesSource(client, { context: '', clock, references });
  const desired = translator()(await source.read(never), nothingRemembered);
  writer.passed(passOf({ desired, over: { startedAt: clock.monotonic() } }));
  await until('it was tried', () => at.length >= attempts);
  return at.slice(1).map((time, i) => (time - (at[i] ?? 0)) / 1_000);
}

test('an object whose status is refused is tried less and less often', async () => {
  const [first = 0, second = 0] = await pausesOf(500, 3);
  expect(first).toBeGreaterThanOrEqual(10);
  expect(second).toBeGreaterThanOrEqual(20);
});

test('after a conflict it is read and written again at once, then less often', async () => {
  const [first = 0, second = 0] = await pausesOf(409, 3);
  expect(first).toBeLessThan(9);
  expect(second).toBeGreaterThanOrEqual(20);
});
