/** Events about an app's traffic: ejections, and connections that leave the zone. */

import { expect, test } from '@jest/globals';
import type { Declared } from '../../../../controller/model/desired.ts';
import type { Tier } from '../../../../controller/model/place.ts';
import type { Decision } from '../../../../controller/plan/decision.ts';
import { serviceIn } from '../../../../controller/plan/nearest.ts';
import { factsOf, NO_FACTS, sameFacts } from '../../../../controller/status/kubernetes/pass-facts.ts';
import { trafficEvents, trafficOf } from '../../../../controller/status/kubernetes/traffic-events.ts';
import { backend, service } from '../../../support/builders.ts';
import { desiredOf } from '../../../support/observed.ts';
import { passOf } from '../passes.ts';

const HOST = { zone: 'a', addresses: new Set<string>() };
const KEY = 'tcp/11.0.0.1:80';
const declared: Declared = {
  ...{ app: '/web', name: 'web', framework: 'marathon', fqdn: 'web.marathon.l4lb', address: null },
  ...{ protocol: 'tcp', port: 80, backends: 3, at: '', mode: 'host', backendAddress: 'agent' },
};

const EJECTED = { weight: 0, reason: 'ejected: 7 connections, no reply; connect timed out' };

/** The results of a pass for an app with these backends ejected and the VIP at this tier. */
function facts(ejected: readonly string[], tier: Tier = 'zone', backends = 3) {
  const all = Array.from({ length: backends }, (_, i) => {
    const address = `10.0.0.${i + 1}`;
    const place = { zone: ['b', 'c'][i - 1] ?? 'a' };
    const over = ejected.includes(`${address}:80`) ? EJECTED : {};
    return backend(address, 80, { app: '/web', place, ...over });
  });
  const web = service('11.0.0.1', 80, all, {
    name: 'web',
    trafficDistribution: 'PreferSameZone',
    apps: ['/web'],
  });
  const desired = { ...desiredOf(serviceIn(tier, web, HOST)), declared: [declared] };
  const decision: Decision = { rule: 'ejected', endsWhen: 'it answers', endsAt: null };
  const decisions = new Map([[KEY, new Map(ejected.map((key) => [key, decision] as const))]]);
  const found = factsOf(passOf({ desired, over: { decisions } }));
  for (let step = found.next(); ; step = found.next())
    if (step.done) return step.value.get('/web') ?? NO_FACTS;
}

const news = (before: ReturnType<typeof facts>, now: ReturnType<typeof facts>) =>
  trafficEvents(trafficOf(before), trafficOf(now), 'node-7');

test('an ejection and its end are reported with the reason and the host', () => {
  const one = facts(['10.0.0.1:80']);
  expect(news(facts([]), one)).toEqual([
    {
      type: 'Warning',
      reason: 'BackendEjected',
      note: 'web.marathon.l4lb:80: 10.0.0.1:80 is out of rotation on node-7, ejected: 7 connections, no reply; connect timed out',
    },
  ]);
  expect(sameFacts(facts([]), one)).toBe(false);
  expect(news(one, one)).toEqual([]);
  expect(news(one, facts([]))).toEqual([
    {
      type: 'Normal',
      reason: 'BackendReturned',
      note: 'web.marathon.l4lb:80: 10.0.0.1:80 is in rotation again on node-7',
    },
  ]);
});

test('a backend that is gone, or unhealthy meanwhile, did not return', () => {
  expect(news(facts(['10.0.0.1:80']), facts([], 'zone', 0))).toEqual([]);
});

test('many ejections at once name ten backends', () => {
  const many = Array.from({ length: 14 }, (_, i) => `10.0.0.${i + 1}:80`);
  const [told, ...others] = news(facts([], 'all', 14), facts(many, 'all', 14));
  expect(others).toEqual([]);
  expect(told?.note).toMatch(
    /^web\.marathon\.l4lb:80: 10\.0\.0\.1:80, .*10\.0\.0\.10:80 and 4 more are out of rotation on node-7, eject/,
  );
});

test('an Event reports connections leaving the zone, and another their return', () => {
  expect(news(facts([], 'zone'), facts([], 'all'))).toEqual([
    {
      type: 'Warning',
      reason: 'ZoneLeft',
      note: 'web.marathon.l4lb:80: connections from node-7 go to all backends, since none nearer is in rotation',
    },
  ]);
  expect(news(facts([], 'all'), facts([], 'zone'))).toEqual([
    {
      type: 'Normal',
      reason: 'ZoneKept',
      note: 'web.marathon.l4lb:80: connections from node-7 go to the backends in the zone of this host, 2 in other zones are left out',
    },
  ]);
});

test('changes within the zone, or outside of it, are not reported', () => {
  expect(news(facts([], 'node'), facts([], 'zone'))).toEqual([]);
  expect(news(facts([], 'region'), facts([], 'all'))).toEqual([]);
});

test('a new VIP has no Events', () => {
  expect(trafficEvents(trafficOf(NO_FACTS), trafficOf(facts(['10.0.0.1:80'], 'all')), 'node-7')).toEqual([]);
});
