import { describe, expect, test } from '@jest/globals';
import type { EndpointTask, TaskCondition, TaskLookup } from '../../../controller/inventory/task-index.ts';
import type { BackendKey } from '../../../controller/model/endpoint.ts';
import type { Table } from '../../../controller/model/kernel.ts';
import type { Service } from '../../../controller/model/service.ts';
import { serviceKey } from '../../../controller/model/service.ts';
import { holdMassRemoval } from '../../../controller/plan/brake.ts';
import { heldText } from '../../../controller/plan/held-text.ts';
import { formatStep } from '../../../controller/plan/ipvsadm.ts';
import type { LossReason } from '../../../controller/plan/losses.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf, observedService, tableOf } from '../../support/observed.ts';
import { completed, draftOf } from '../../support/planning.ts';

const as = (condition: TaskCondition): EndpointTask => ({ drainSeconds: 300, condition });
const HEALTH_LOST = as('health lost');
const nobody: TaskLookup = () => null;

/** VIP number `n` with this many backends, 10.1.n.1:80 and so on. */
function vip(
  n: number,
  backends: number,
  what: { readonly weight?: number; readonly from?: number } = {},
): Service {
  const { weight = 1, from = 1 } = what;
  const all = Array.from({ length: backends }, (_, i) => backend(`10.1.${n}.${from + i}`, 80, { weight }));
  return service(`11.0.0.${n}`, 80, all, { name: `vip-${n}` });
}

const vips = (first: number, last: number, backends = 1) =>
  Array.from({ length: last - first + 1 }, (_, i) => vip(first + i, backends));

function brake(
  had: readonly Service[],
  want: readonly Service[],
  over: Partial<{
    taskAt: TaskLookup;
    named: (endpoint: BackendKey) => boolean;
    foreign: Table;
    share: number;
  }> = {},
) {
  const ours = tableOf(...had.map((one) => observedService(one)));
  const observed = new Map([...ours, ...(over.foreign ?? [])]);
  const owned = new Map(
    had.map(({ name, framework, fqdn, ...key }) => [serviceKey(key), { name, framework, fqdn }]),
  );
  const draft = draftOf(desiredOf(...want), observed, { owned, inPool: () => true, adopt: false });
  const context = {
    observed,
    owned,
    taskAt: nobody,
    named: () => false,
    leftOut: () => false,
    heldBefore: () => false,
    share: 0.5,
    ...over,
  };
  const result = holdMassRemoval(draft, context);
  const plan = completed(result.plan);
  return { ...result, plan, steps: [...plan.growing, ...plan.shrinking].map(formatStep) };
}

describe('which removals are mass removals (rule 4)', () => {
  test('more than half of the VIPs, and more than ten', () => {
    expect(brake(vips(1, 30), vips(1, 14)).held).toMatchObject({ vips: 16, ofVips: 30, backends: 16 });
    expect(brake(vips(1, 30), vips(1, 15)).held).toBeNull();
    expect(brake(vips(1, 12), vips(1, 2)).held).toBeNull();
  });

  test('more than half of the backends in rotation, and more than ten, although each VIP keeps some', () => {
    const few = vips(1, 5).map((_, i) => vip(i + 1, 1));
    expect(brake(vips(1, 5, 4), few).held).toMatchObject({ vips: 0, backends: 15, ofBackends: 20 });
    expect(brake(vips(1, 5, 4), vips(1, 5, 2)).held).toBeNull();
  });

  test('all of them, where two or more VIPs were owned', () => {
    expect(brake(vips(1, 2), []).held).toMatchObject({ vips: 2, ofVips: 2 });
    expect(brake(vips(1, 1), []).held).toBeNull();
  });

  test('the operator sets the share', () => {
    expect(brake(vips(1, 30), vips(1, 10), { share: 0.9 }).held).toBeNull();
    expect(brake(vips(1, 30), vips(1, 18), { share: 0.3 }).held).toMatchObject({ vips: 12 });
  });

  test("other programs' services are not counted", () => {
    const foreign = tableOf(...vips(100, 200).map((one) => observedService(one)));
    expect(brake(vips(1, 2), [], { foreign }).held).toMatchObject({ vips: 2, ofVips: 2 });
  });
});

describe('what counts', () => {
  test('a backend that is replaced is no loss', () => {
    const replaced = [vip(1, 6, { from: 101 }), vip(2, 6, { from: 101 })];
    expect(brake(vips(1, 2, 6), replaced).held).toBeNull();
  });

  test('a backend that only gets another weight replaces none that goes', () => {
    const had = [vip(1, 12), vip(2, 12)];
    const heavier = [vip(1, 1, { weight: 2 }), vip(2, 1, { weight: 2 })];
    expect(brake(had, heavier).held).toMatchObject({ vips: 0, backends: 22, ofBackends: 24 });
  });

  test('a VIP that gets a new backend for its old ones has lost backends, and is not lost itself', () => {
    const fewer = [vip(1, 1, { from: 101 }), vip(2, 1, { from: 101 })];
    expect(brake([vip(1, 12), vip(2, 12)], fewer).held).toMatchObject({ vips: 0, backends: 22 });
  });

  test('a removal that a source named does not', () => {
    expect(brake(vips(1, 30), [], { named: () => true }).held).toBeNull();
    const half = (endpoint: BackendKey) => Number(endpoint.split('.')[2]) <= 15;
    expect(brake(vips(1, 30), [], { named: half }).held).toBeNull();
  });

  test('nor a task that is being killed or gone, also where that is learnt from a list', () => {
    expect(brake(vips(1, 30), [], { taskAt: () => as('ended') }).held).toBeNull();
  });

  test.each<[TaskCondition | null, LossReason]>([
    [null, 'missing'],
    ['health lost', 'health lost'],
    ['unhealthy', 'unhealthy'],
    ['unreachable', 'unreachable'],
    ['staging', 'staging'],
    ['serving', 'not asked for'],
  ])('whatever else takes it away does: a task %s is held as %s', (standing, reason) => {
    const taskAt = () => (standing === null ? null : as(standing));
    const { held, steps } = brake(vips(1, 30), [], { taskAt });
    expect(held).toMatchObject({ vips: 30, backends: 30, reasons: [[reason, 30]] });
    expect(steps).toEqual([]);
    expect(brake(vips(1, 30), [], { taskAt, named: () => true }).held).toBeNull();
  });

  test.each(['tcp', 'udp'] as const)('weight 0 by label does, over %s', (protocol) => {
    const over = (all: readonly Service[]) => all.map((one) => ({ ...one, protocol }));
    const quiet = vips(1, 30).map((_, i) => vip(i + 1, 1, { weight: 0 }));
    const { held, steps } = brake(over(vips(1, 30)), over(quiet), { taskAt: () => as('serving') });
    expect(held).toMatchObject({ vips: 30, backends: 30, reasons: [['weight 0', 30]] });
    expect(steps).toEqual([]);
  });

  test('a VIP of which no backend would be left in rotation counts as one that goes', () => {
    // 16 of 30 VIPs, and only 16 of 156 backends.
    const had = [...vips(1, 16), ...vips(17, 30, 10)];
    const quiet = had.map((one, i) => (i < 16 ? vip(i + 1, 1, { weight: 0 }) : one));
    expect(brake(had, quiet, { taskAt: () => as('unhealthy') }).held).toMatchObject({
      vips: 16,
      backends: 16,
    });
  });

  test('lost health results do, whether weight 0 or, for UDP, removal would follow', () => {
    const quiet = vips(1, 30).map((_, i) => vip(i + 1, 1, { weight: 0 }));
    expect(brake(vips(1, 30), quiet, { taskAt: () => HEALTH_LOST }).held).toMatchObject({ backends: 30 });
    const udp = (all: readonly Service[]) => all.map((one) => ({ ...one, protocol: 'udp' as const }));
    const lost = brake(udp(vips(1, 30)), udp(quiet), { taskAt: () => HEALTH_LOST });
    expect(lost.held).toMatchObject({ backends: 30 });
    expect(lost.steps).toEqual([]);
  });

  test('a VIP without a backend in rotation is no loss', () => {
    const quiet = vips(1, 30).map((_, i) => vip(i + 1, 1, { weight: 0 }));
    expect(brake(quiet, []).held).toBeNull();
  });
});

describe('a held removal', () => {
  test('leaves the backends as they are, with the reason; all other steps are made', () => {
    const { plan, steps } = brake(vips(1, 3), [vip(4, 1)]);
    expect(steps).toEqual(['-A -t 11.0.0.4:80 -s wlc', '-a -t 11.0.0.4:80 -r 10.1.4.1:80 -m -w 1']);
    expect(plan.services.find(({ name }) => name === 'vip-1')).toMatchObject({
      op: 'keep',
      held: true,
      reason: 'no source mentions it any more',
      backends: [{ op: 'keep', weight: 1, reason: 'held: its task is missing from the source' }],
    });
    expect(plan.summary).toEqual({ add: 1, change: 0, remove: 0, keep: 3 });
  });

  test('of a VIP that would go, the backends that were named go', () => {
    const first = (endpoint: BackendKey) => endpoint === '10.1.1.1:80';
    const { steps, plan } = brake([vip(1, 2), vip(2, 2)], [], { named: first });
    // Three of four in rotation, and both VIPs altogether.
    expect(steps).toEqual(['-d -t 11.0.0.1:80 -r 10.1.1.1:80']);
    expect(plan.services.map(({ op }) => op)).toEqual(['change', 'keep']);
  });

  test('for several reasons at once has the right one at each backend, and all of them in a line', () => {
    const at: Readonly<Record<string, EndpointTask>> = {
      '10.1.1.1:80': as('serving'),
      '10.1.2.1:80': as('unreachable'),
      '10.1.3.1:80': as('unreachable'),
    };
    const { plan, held } = brake(vips(1, 4), [], { taskAt: (endpoint) => at[endpoint] ?? null });
    expect(plan.services.flatMap(({ backends }) => backends.map(({ reason }) => reason))).toEqual([
      'held: its task still runs, but its labels no longer declare this VIP',
      'held: its task is unreachable, as most tasks at once',
      'held: its task is unreachable, as most tasks at once',
      'held: its task is missing from the source',
    ]);
    expect(held && heldText(held)).toBe(
      '4 of 4 VIPs and 4 of 4 backends in rotation would be removed at once, and no source names them: ' +
        '2 unreachable, 1 whose labels no longer declare the VIP, 1 missing from the sources',
    );
  });

  test('the weight of a backend whose health is lost stays', () => {
    const quiet = vips(1, 3).map((_, i) => vip(i + 1, 1, { weight: 0 }));
    const { plan, steps } = brake(vips(1, 3), quiet, { taskAt: () => HEALTH_LOST });
    expect(steps).toEqual([]);
    expect(plan.services[0]?.backends[0]).toMatchObject({
      weight: 1,
      reason: 'held: its health results are lost',
    });
  });
});
