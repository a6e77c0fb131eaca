import { expect, test } from '@jest/globals';
import { serviceKey } from '../../../../controller/model/service.ts';
import { ReferenceBook } from '../../../../controller/source/kubernetes/references.ts';
import { DueObjects } from '../../../../controller/status/kubernetes/due-objects.ts';
import { backend, service } from '../../../support/builders.ts';
import { clock, inBackground, startServer, writeApp } from '../../source/kubernetes/setup.ts';
import { until } from '../../source/support.ts';
import { passOf } from '../passes.ts';
import { writing } from './writing.ts';

/** A list that counts how often it is iterated. */
function counted<T>(list: readonly T[], count: () => void): readonly T[] {
  return new Proxy(list, {
    get(target, property) {
      if (property === Symbol.iterator) count();
      return Reflect.get(target, property);
    },
  });
}

/** The number of objects and of whole passes that one change among `size` apps touches. */
async function workOfOneEvent(size: number): Promise<{ looks: number; sweeps: number }> {
  const server = await startServer();
  for (let i = 0; i < size; i += 1) writeApp(server, `app-${i}`);
  const work = { looks: 0, sweeps: 0 };
  class Counting extends ReferenceBook {
    override of(key: string) {
      work.looks += 1;
      return super.of(key);
    }
  }
  const references = new Counting();
  const { writer, source, desired } = await writing(server, { references });
  inBackground((signal) => source.follow({ changed: () => undefined, failed: () => undefined }, signal));
  const declared = counted(desired.declared, () => {
    work.sweeps += 1;
  });
  writer.passed(passOf({ desired: { ...desired, declared }, over: { startedAt: clock.monotonic() } }));
  const settled = () => {
    const objects = server.operations.storage.all('marathon-ipvs.io/marathonapps');
    return objects.every(({ status }) => JSON.stringify(status)?.includes('BackendNotFound'));
  };
  await until('all are written', settled);
  // The watch reports the writes themselves.
  await clock.sleep(5_000);

  Object.assign(work, { looks: 0, sweeps: 0 });
  writeApp(server, 'app-0', '/other:80');
  await until('it is looked at', () => work.looks > 0);
  await clock.sleep(20_000);
  return { ...work };
}

test('the cost of a change to one object does not depend on the number of apps', async () => {
  const few = await workOfOneEvent(5);
  const many = await workOfOneEvent(60);
  expect(few.looks).toBeLessThanOrEqual(6);
  expect(many.looks).toBeLessThanOrEqual(6);
  expect([few.sweeps, many.sweeps]).toEqual([0, 0]);
});

test('an ejection becomes one Event, and its end another; the initial state becomes none', async () => {
  const server = await startServer();
  writeApp(server, 'app-0');
  const { writer, desired } = await writing(server);
  const [declared] = desired.declared;
  if (declared === undefined) throw new Error('a VIP');
  const pass = (ejected: readonly number[]) => {
    const backends = [1, 2, 3].map((i) =>
      backend(`10.0.0.${i}`, 80, {
        app: declared.app,
        ...(ejected.includes(i) && { weight: 0, reason: 'ejected: connect timed out' }),
      }),
    );
    const { name, framework, fqdn, app } = declared;
    const web = service('11.0.0.1', declared.port, backends, { name, framework, fqdn, apps: [app] });
    const decision = { rule: 'ejected' as const, endsWhen: 'it answers', endsAt: null };
    const decided = new Map(ejected.map((i) => [`10.0.0.${i}:80`, decision] as const));
    const services = new Map([[serviceKey(web), web]]);
    const decisions = new Map([[serviceKey(web), decided]]);
    writer.passed(
      passOf({ desired: { ...desired, services }, over: { startedAt: clock.monotonic(), decisions } }),
    );
  };
  const events = () =>
    server.operations.storage
      .all('events.k8s.io/events')
      .map(({ reason, note }) => `${String(reason)} ${String(note).replace(/^\S+ /, '')}`)
      .filter((text) => text.startsWith('Backend'));
  pass([3]);
  await until('its status is written', () =>
    JSON.stringify(server.operations.storage.all('marathon-ipvs.io/marathonapps')).includes('Programmed'),
  );
  pass([1, 3]);
  const ejected = 'BackendEjected 10.0.0.1:80 is out of rotation on node-7, ejected: connect timed out';
  await until('the ejection is told', () => events().length > 0);
  pass([1, 3]);
  pass([3]);
  await until('its end is told', () => events().length > 1);
  expect(events().sort()).toEqual([ejected, 'BackendReturned 10.0.0.1:80 is in rotation again on node-7']);
});

test('a postponed key is due once, at its time and not before', () => {
  const due = new DueObjects();
  due.add('a');
  due.add('a');
  due.postpone('b', 2_500);
  due.postpone('b', 2_600);
  due.release(2_000);
  expect([due.take(), due.take()]).toEqual(['a', undefined]);
  due.release(3_000);
  expect([due.take(), due.take()]).toEqual(['b', undefined]);
});
