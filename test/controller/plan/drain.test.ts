import { describe, expect, test } from '@jest/globals';
import type { TaskLookup } from '../../../controller/inventory/task-index.ts';
import type { Table } from '../../../controller/model/kernel.ts';
import { type Drains, keepDraining } from '../../../controller/plan/drain.ts';
import { formatStep } from '../../../controller/plan/ipvsadm.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf, observedBackend, observedService, tableOf } from '../../support/observed.ts';
import { completed, draftOf } from '../../support/planning.ts';

const KEY = 'tcp/11.0.0.1:80';
const NOW = 1_000_000;
const alive: TaskLookup = () => ({ drainSeconds: 300, condition: 'serving' });
const gone: TaskLookup = () => null;

function withConnections(active: number, weight = 1, protocol: 'tcp' | 'udp' = 'tcp'): Table {
  const leaving = observedBackend(backend('10.0.0.9', 9, { weight }), { activeConnections: active });
  const staying = observedBackend(backend('10.0.0.1', 1));
  const backends = new Map([
    ['10.0.0.9:9', leaving],
    ['10.0.0.1:1', staying],
  ]);
  return tableOf(observedService(service('11.0.0.1', 80, [], { protocol }), { backends }));
}

const without = (protocol: 'tcp' | 'udp' = 'tcp') =>
  desiredOf(service('11.0.0.1', 80, [backend('10.0.0.1', 1)], { protocol }));

function drained(
  desired: ReturnType<typeof desiredOf>,
  observed: Table,
  taskAt: TaskLookup,
  drains: Drains = new Map(),
  now = NOW,
) {
  const owned = new Map(
    [...observed.keys()].map((key) => [key, { name: null, framework: null, fqdn: null }]),
  );
  const draft = draftOf(desired, observed, { owned, inPool: () => true, adopt: false });
  const kept = keepDraining(draft, { observed, taskAt, drains, now });
  const plan = completed(kept.plan);
  return { ...kept, plan, steps: [...plan.growing, ...plan.shrinking].map(formatStep) };
}

describe('a backend that leaves while its task still runs (rule 6)', () => {
  test('gets weight 0 first, with a deadline, and reports the connections left', () => {
    const { steps, drains, plan } = drained(without(), withConnections(3), alive);
    expect(steps).toEqual(['-e -t 11.0.0.1:80 -r 10.0.0.9:9 -m -w 0']);
    expect(drains.get(KEY)?.get('10.0.0.9:9')).toBe(NOW + 300_000);
    expect(plan.services[0]?.backends).toMatchObject([
      { op: 'keep' },
      { op: 'change', weight: 0, reason: 'draining: 3 connections left, at most 300 s' },
    ]);
  });

  test('stays so while it has connections, with the deadline that it got first', () => {
    const drains = new Map([[KEY, new Map([['10.0.0.9:9', NOW + 5_000]])]]);
    const later = drained(without(), withConnections(1, 0), alive, drains);
    expect(later.steps).toEqual([]);
    expect(later.drains).toEqual(drains);
    expect(later.plan.summary).toEqual({ add: 0, change: 0, remove: 0, keep: 1 });
  });

  test('is removed when the kernel counts no connection any more', () => {
    const { steps, drains } = drained(without(), withConnections(0, 0), alive);
    expect(steps).toEqual(['-d -t 11.0.0.1:80 -r 10.0.0.9:9']);
    expect(drains.size).toBe(0);
  });

  test('is removed at its deadline, whatever is left, and has that deadline until it is gone', () => {
    const drains = new Map([[KEY, new Map([['10.0.0.9:9', NOW]])]]);
    const over = drained(without(), withConnections(7, 0), alive, drains);
    expect(over.steps).toEqual(['-d -t 11.0.0.1:80 -r 10.0.0.9:9']);
    expect(over.drains.size).toBe(0);
    expect(over.ended).toEqual(drains);
  });

  test('drains from the moment at which the kernel has weight 0, not while the kernel refuses to write it', () => {
    const drains = new Map([[KEY, new Map([['10.0.0.9:9', NOW]])]]);
    const { steps, ...refused } = drained(without(), withConnections(7), alive, drains);
    expect(steps).toEqual(['-e -t 11.0.0.1:80 -r 10.0.0.9:9 -m -w 0']);
    expect(refused.drains.get(KEY)?.get('10.0.0.9:9')).toBe(NOW + 300_000);
    expect(refused.ended.size).toBe(0);
  });
});

test('a backend whose task is gone is removed at once', () => {
  expect(drained(without(), withConnections(3), gone).steps).toEqual(['-d -t 11.0.0.1:80 -r 10.0.0.9:9']);
});

test('UDP does not drain, and a UDP backend of weight 0 is not in the kernel', () => {
  expect(drained(without('udp'), withConnections(3, 1, 'udp'), alive).steps).toEqual([
    '-d -u 11.0.0.1:80 -r 10.0.0.9:9',
  ]);
  const unhealthy = desiredOf(
    service('11.0.0.1', 80, [backend('10.0.0.1', 1), backend('10.0.0.9', 9, { weight: 0 })], {
      protocol: 'udp',
    }),
  );
  expect(drained(unhealthy, withConnections(3, 1, 'udp'), alive).steps).toEqual([
    '-d -u 11.0.0.1:80 -r 10.0.0.9:9',
  ]);
  expect(drained(unhealthy, tableOf(), alive).steps).toEqual([
    '-A -u 11.0.0.1:80 -s wlc',
    '-a -u 11.0.0.1:80 -r 10.0.0.1:1 -m -w 1',
  ]);
});

test('a service that no app declares any more stays while one of its backends drains, and the others are removed', () => {
  const first = drained(desiredOf(), withConnections(2), alive);
  expect(first.steps).toEqual(['-e -t 11.0.0.1:80 -r 10.0.0.9:9 -m -w 0', '-d -t 11.0.0.1:80 -r 10.0.0.1:1']);
  expect(first.plan.services[0]).toMatchObject({ op: 'change', reason: 'no app declares it any more' });
  expect(drained(desiredOf(), withConnections(0, 0), alive).steps).toEqual(['-D -t 11.0.0.1:80']);
});
