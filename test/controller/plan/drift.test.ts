import { expect, test } from '@jest/globals';
import { drift } from '../../../controller/plan/drift.ts';
import { backend, service, WEIGHT_1, WLC } from '../../support/builders.ts';
import { observedBackend, observedService, tableOf } from '../../support/observed.ts';
import { afterSteps } from '../../support/planning.ts';

const web = service('11.0.0.1', 80, [backend('10.0.0.1', 1), backend('10.0.0.2', 2)]);
const key = 'tcp/11.0.0.1:80';
const owned = new Map([[key, null]]);
const before = tableOf(observedService(web));

test('a table that nobody else wrote has no drift, whatever was counted', () => {
  const busy = observedBackend(backend('10.0.0.1', 1), { activeConnections: 3 });
  const backends = new Map([...observedService(web).backends, ['10.0.0.1:1', busy]]);
  expect(drift(before, tableOf(observedService(web, { backends })), owned)).toEqual([]);
});

test('every field that someone changed is named with what it was and is', () => {
  const heavy = observedBackend(backend('10.0.0.1', 1), { weight: 100, forward: 'tunnel' });
  const backends = new Map([['10.0.0.1:1', heavy]]);
  const now = tableOf(observedService(web, { scheduler: 'rr', backends }));
  expect(drift(before, now, owned)).toEqual([
    { service: key, backend: null, field: 'scheduler', was: 'wlc', is: 'rr' },
    { service: key, backend: '10.0.0.1:1', field: 'forward', was: 'masquerade', is: 'tunnel' },
    { service: key, backend: '10.0.0.1:1', field: 'weight', was: 1, is: 100 },
    { service: key, backend: '10.0.0.2:2', field: 'removed', was: '10.0.0.2:2', is: null },
  ]);
});

test('a backend that someone added, and a service that someone removed', () => {
  const more = service('11.0.0.1', 80, [...web.backends.values(), backend('10.0.0.3', 3)]);
  expect(drift(before, tableOf(observedService(more)), owned)).toMatchObject([
    { backend: '10.0.0.3:3', field: 'added' },
  ]);
  expect(drift(before, new Map(), owned)).toMatchObject([{ service: key, backend: null, field: 'removed' }]);
});

test('what other programs do to their own services is no drift', () => {
  expect(drift(before, tableOf(observedService(web, { scheduler: 'rr' })), new Map())).toEqual([]);
});

test('what we wrote ourselves is no drift', () => {
  const written = afterSteps(before, [
    { op: 'add-backend', service: web, backend: { address: '10.0.0.3', port: 3, ...WEIGHT_1 } },
    { op: 'update-backend', service: web, backend: { address: '10.0.0.1', port: 1, ...WEIGHT_1, weight: 0 } },
    { op: 'remove-backend', service: web, backend: { address: '10.0.0.2', port: 2 } },
    { op: 'update-service', service: { ...web, ...WLC, scheduler: 'rr', persistenceSeconds: 9 } },
  ]);
  const now = service('11.0.0.1', 80, [backend('10.0.0.1', 1, { weight: 0 }), backend('10.0.0.3', 3)], {
    ...WLC,
    scheduler: 'rr',
    persistenceSeconds: 9,
  });
  expect(drift(written, tableOf(observedService(now)), owned)).toEqual([]);
});
