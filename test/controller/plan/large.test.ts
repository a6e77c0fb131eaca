/** A service of more backends than a call may have arguments (about 120,000). No app may have as many, but apps share VIPs. */

import { expect, test } from '@jest/globals';
import { connectionsOf } from '../../../controller/desired/connections.ts';
import { drift } from '../../../controller/plan/drift.ts';
import { toText } from '../../../controller/plan/print-text.ts';
import { painter } from '../../../controller/text/table.ts';
import { app, backend, service, snapshot } from '../../support/builders.ts';
import { desiredOf, observedService, tableOf } from '../../support/observed.ts';
import { createDiff } from '../../support/planning.ts';
import { World } from '../../support/world.ts';

const BACKENDS = 200_000;
const KEY = 'tcp/11.0.0.1:80';
const few = service('11.0.0.1', 80, [backend('10.9.0.1', 80)]);

function large(weight = 1) {
  const all = Array.from({ length: BACKENDS }, (_, i) =>
    backend(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 80, { weight }),
  );
  return service('11.0.0.1', 80, all);
}

const nameless = { name: null, framework: null, fqdn: null };
const owned = new Map([[KEY, nameless]]);
const planOf = (wanted: ReturnType<typeof large>, observed: ReturnType<typeof tableOf>) =>
  createDiff()(desiredOf(wanted), observed, { owned, inPool: () => true, adopt: false });
const steps = ({ growing, shrinking }: ReturnType<typeof planOf>) => growing.length + shrinking.length;

test('is planned and printed when its backends come, change, drain and go', () => {
  const table = tableOf(observedService(large()));
  const coming = planOf(large(), new Map());
  expect(steps(coming)).toBe(BACKENDS + 1);
  expect(steps(planOf(large(2), table))).toBe(BACKENDS);
  expect(steps(planOf(large(0), table))).toBe(BACKENDS);
  expect(steps(planOf(few, table))).toBe(BACKENDS + 1);
  const report = { plan: coming, declared: [], rejected: [], warnings: [], held: null, leftAlone: 0 };
  expect(toText(report, painter(false)).split('\n').length).toBeGreaterThan(BACKENDS);
});

test('has its drift and its connections told', () => {
  expect(drift(tableOf(observedService(large())), tableOf(observedService(few)), owned)).toHaveLength(
    BACKENDS + 1,
  );
  const declared = { app: '/large', ...nameless, address: '11.0.0.1', protocol: 'tcp', port: 80 } as const;
  const where = { at: 'portDefinitions[0]', mode: 'host', backendAddress: 'agent' } as const;
  const desired = { ...desiredOf(large()), declared: [{ ...declared, ...where, backends: BACKENDS }] };
  const listed = connectionsOf([app('/large')], desired)
    .get('marathon')
    ?.get('11.0.0.1:80');
  expect(listed?.address).toHaveLength(BACKENDS);
});

test('is held by the brake when all of it goes', async () => {
  const world = new World();
  const other = service('11.0.0.2', 80, [backend('10.9.0.1', 80)]);
  world.kernel = tableOf(observedService(large()), observedService(other));
  world.ledgerEntries = new Map([...world.kernel.keys()].map((key) => [key, nameless]));
  const pass = await world.start().resync(snapshot());
  expect(pass).toMatchObject({ error: null, held: { vips: 2, backends: BACKENDS + 1 } });
});
