/** Backends left out for nearer ones, as diff, status, metrics and Kubernetes show them. */

import { expect, test } from '@jest/globals';
import { diffDocument } from '../../../controller/api/documents.ts';
import { createMetrics } from '../../../controller/metrics/metrics.ts';
import type { Declared } from '../../../controller/model/desired.ts';
import { endpointKey } from '../../../controller/model/endpoint.ts';
import type { Tier } from '../../../controller/model/place.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import { serviceIn } from '../../../controller/plan/nearest.ts';
import { toJson } from '../../../controller/plan/print-json.ts';
import { toText } from '../../../controller/plan/print-text.ts';
import { statusDocument } from '../../../controller/status/document.ts';
import { rotating } from '../../../controller/status/kubernetes/conditions.ts';
import { vipsText } from '../../../controller/status/print-text.ts';
import { reportOf } from '../../../controller/status/report.ts';
import { painter } from '../../../controller/text/table.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf, observedBackend, observedService, tableOf } from '../../support/observed.ts';
import { passOf } from './passes.ts';
import { documentOf } from './status-world.ts';

const HOST = { zone: 'a', addresses: new Set<string>() };
const [NEAR, FAR, FARTHER] = ['a', 'b', 'c'].map((zone, i) =>
  backend(`10.0.0.${i + 1}`, 80, { app: '/web', place: { zone } }),
) as [ReturnType<typeof backend>, ReturnType<typeof backend>, ReturnType<typeof backend>];
const ALL = service('11.0.0.1', 80, [NEAR, FAR, FARTHER], {
  name: 'web',
  apps: ['/web'],
  trafficDistribution: 'PreferSameZone',
});
const near = (tier: Tier) => serviceIn(tier, ALL, HOST);
const plain = { width: null, paint: painter(false) };

/** The kernel had all backends; those of other zones leave, and one of them drains. */
function moving(): PassStatus {
  const draining = observedBackend(FAR, { weight: 0, activeConnections: 2 });
  const left = new Map([
    [endpointKey(NEAR), observedBackend(NEAR)],
    [endpointKey(FAR), draining],
  ]);
  const drains = new Map([['tcp/11.0.0.1:80', new Map([[endpointKey(FAR), 1_300_000]])]]);
  return passOf({
    desired: desiredOf(near('zone')),
    before: tableOf(observedService(ALL)),
    observed: tableOf(observedService(ALL, { backends: left })),
    over: { drains },
  });
}

test('the diff of a changed VIP shows its tier, how many backends are left out, and why each of them leaves', () => {
  const text = toText(reportOf(moving()), painter(false));
  expect(text).toContain(
    '/web  the backends in the zone of this host, 2 in other zones are left out\n' +
      '      10.0.0.1:80  weight 1  task-10.0.0.1:80  running, no health check\n' +
      '    - 10.0.0.2:80  weight 1                    left out: backends in the zone of this host are in rotation\n',
  );
  expect(text).toContain('Left out, since nearer ones are in rotation: 2 backends of 1 VIP.\n');
});

test('a diff without changes still shows how many are left out', () => {
  const text = toText(reportOf(passOf({ desired: desiredOf(near('zone')) })), painter(false));
  expect(text).toBe(
    'Left out, since nearer ones are in rotation: 2 backends of 1 VIP.\nNo differences: 1 VIP as desired.\n',
  );
});

test('the documents have tier and number; VIPs that use all backends have neither', () => {
  const pass = moving();
  const diff = JSON.parse(JSON.stringify(toJson(reportOf(pass))));
  expect(diff.services[0].nearness).toEqual({ tier: 'zone', leftOut: 2 });
  expect(diffDocument.parse(diff)).toEqual(diff);
  const status = documentOf(pass);
  expect(status.vips[0]?.nearness).toEqual({ tier: 'zone', leftOut: 2 });
  expect(statusDocument.parse(JSON.parse(JSON.stringify(status)))).toEqual(status);
  expect(documentOf(passOf({})).vips[0]?.nearness).toBeNull();
});

test('the status of a VIP shows it, and why a backend that the sources list drains', () => {
  const text = vipsText(documentOf(moving()), plain);
  expect(text).toContain(
    '1/2 in rotation; the backends in the zone of this host, 2 in other zones are left out;',
  );
  const [far] = documentOf(moving()).vips[0]?.backends.filter(({ drain }) => drain !== null) ?? [];
  expect(far?.reason).toBe('draining: left out: backends in the zone of this host are in rotation');
  const fallen = vipsText(documentOf(passOf({ desired: desiredOf(near('all')) })), plain);
  expect(fallen).toContain('3/3 in rotation; all backends, since none nearer is in rotation;');
});

test('metrics count these VIPs by tier, and their left-out backends', async () => {
  const metrics = createMetrics({
    sources: [],
    dryRun: false,
    clock: { epoch: () => 0, monotonic: () => 0 },
  });
  expect(await metrics.text()).toContain('marathon_ipvs_near_vips{tier="zone"} Nan\n');
  metrics.passed(passOf({ desired: desiredOf(near('zone'), service('11.0.0.2', 80, [FAR])) }));
  const text = await metrics.text();
  expect(text).toContain('marathon_ipvs_near_vips{tier="zone"} 1\n');
  expect(text).toContain('marathon_ipvs_near_vips{tier="all"} 0\n');
  expect(text).toContain('marathon_ipvs_left_out_backends{tier="zone"} 2\n');
});

test('the status of a MarathonApp counts the backends of all hosts, not only those near the writer', () => {
  const declared: Declared = {
    ...{ app: '/web', name: 'web', framework: 'marathon', fqdn: 'web', address: null },
    ...{
      protocol: 'tcp' as const,
      port: 80,
      backends: 3,
      at: '',
      mode: 'host' as const,
      backendAddress: 'agent' as const,
    },
  };
  expect(
    rotating({ declared, services: [near('zone')], conflicts: [], shortfalls: [], ejected: new Map() }),
  ).toBe(3);
});
