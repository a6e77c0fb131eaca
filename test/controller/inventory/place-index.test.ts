import { expect, test } from '@jest/globals';
import { PlaceIndex } from '../../../controller/inventory/place-index.ts';
import type { App } from '../../../controller/model/app.ts';
import { placeOf } from '../../../controller/model/place.ts';
import { web } from '../../support/builders.ts';

const HOST = '10.9.0.9';

/** An app with a task on the host, which names this zone. */
function inZone(zone: string): App {
  const app = web(`/${zone}`, {}, `${HOST}:8000`);
  const place = placeOf({ region: 'eu', zone });
  const tasks = app.tasks.map((task) => ({
    ...task,
    agent: { host: HOST, address: HOST },
    ...(place && { place }),
  }));
  return { ...app, tasks };
}

test('of two places that as many tasks name the same one counts, in whatever order they were told', () => {
  const found = [
    ['a', 'b'],
    ['b', 'a'],
  ].map((zones) => {
    const index = new PlaceIndex();
    for (const zone of zones) index.replace(undefined, inZone(zone));
    return index.placeOf(HOST)?.zone;
  });
  expect(found).toEqual(['a', 'a']);
});

test('the place that most tasks name counts', () => {
  const index = new PlaceIndex();
  for (const zone of ['a', 'b', 'b']) index.replace(undefined, inZone(zone));
  expect(index.placeOf(HOST)?.zone).toBe('b');
});

test('equal places are one, also as several objects, as apps from disk have them', () => {
  const index = new PlaceIndex();
  const tell = (zone: string) => index.replace(undefined, structuredClone(inZone(zone)));
  for (const zone of ['a', 'b', 'b']) tell(zone);
  expect(index.placeOf(HOST)?.zone).toBe('b');
  const { version } = index;
  tell('b');
  expect(index.version).toBe(version);
});
