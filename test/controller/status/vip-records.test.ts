import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Declared } from '../../../controller/model/desired.ts';
import { serviceKey } from '../../../controller/model/service.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import { holdMassRemoval } from '../../../controller/plan/brake.ts';
import { VipRecorder, type VipRecords } from '../../../controller/status/vip-records.ts';
import { withoutPause } from '../../../controller/time.ts';
import { backend, service, WEIGHT_1 } from '../../support/builders.ts';
import { desiredOf, observedBackend, observedService, tableOf } from '../../support/observed.ts';
import { completed } from '../../support/planning.ts';
import { DB, passOf, settled, WEB } from './passes.ts';

const WEB_ID = 'tcp/11.0.0.1:80';

/** Records these passes in order, a second apart; the first ends at 1,000,000. */
function recordsAfter(...passes: readonly PassStatus[]) {
  const recorder = new VipRecorder();
  for (const [at, pass] of passes.entries())
    recorder.start({ ...pass, finishedAt: 1_000_000 + at * 1_000 })(withoutPause);
  return recorder.records;
}

function weighing(weight: number, reason: string) {
  return service('11.0.0.1', 80, [backend('10.0.0.1', 31_000, { weight, reason })], {
    name: 'web',
    apps: ['/web'],
  });
}

const declared: Declared = {
  app: '/idle',
  name: 'idle',
  framework: 'marathon',
  fqdn: 'idle.marathon.l4lb.thisdcos.directory',
  address: null,
  protocol: 'tcp',
  port: 80,
  backends: 0,
  at: 'portDefinitions[0]',
  mode: 'host',
  backendAddress: 'agent',
};

describe('since when', () => {
  test('a service that is no longer ours is a conflict from then on, even if it is unchanged', () => {
    const forwarding = passOf({});
    const { desired, observed } = forwarding;
    const taken = passOf({ desired, before: observed, observed, foreign: true });
    expect(recordsAfter(forwarding, taken).get(WEB_ID)).toMatchObject({
      state: 'conflict',
      since: 1_001_000,
    });
  });

  test('an unchanged VIP has been so since it was first seen', () => {
    const records = recordsAfter(passOf({}), passOf({}), passOf({}));
    expect(records.get(WEB_ID)).toMatchObject({ state: 'forwarding', since: 1_000_000 });
    expect(records.get(WEB_ID)?.backends.get('10.0.0.1:31000')?.since).toBe(1_000_000);
  });

  test("a backend's weight and its reason each count as a change of the backend, and not of its VIP", () => {
    const running = passOf({ desired: desiredOf(weighing(1, 'running, healthy')) });
    const other = passOf({ desired: desiredOf(weighing(1, 'running, no health check')) });
    const heavier = passOf({ desired: desiredOf(weighing(5, 'running, no health check')) });
    const records = recordsAfter(running, other, heavier, heavier);
    expect(records.get(WEB_ID)?.since).toBe(1_000_000);
    expect(records.get(WEB_ID)?.backends.get('10.0.0.1:31000')).toMatchObject({
      weight: 5,
      since: 1_002_000,
    });
    expect(recordsAfter(running, other).get(WEB_ID)?.backends.get('10.0.0.1:31000')?.since).toBe(1_001_000);
  });

  test('a VIP that was removed and returned has existed since its return', () => {
    const gone = passOf({ desired: desiredOf(), before: tableOf(), observed: tableOf() });
    expect(recordsAfter(passOf({}), gone).has(WEB_ID)).toBe(false);
    expect(recordsAfter(passOf({}), gone, passOf({})).get(WEB_ID)?.since).toBe(1_002_000);
  });

  test('a pass that could not read the kernel changes nothing', () => {
    const blind = passOf({ observed: tableOf(), over: { error: 'the kernel cannot be read' } });
    expect(recordsAfter(passOf({}), blind)).toEqual(recordsAfter(passOf({})));
  });
});

describe('the state of a VIP', () => {
  const stateOf = (pass: PassStatus, id = WEB_ID) => recordsAfter(pass).get(id);

  test('forwarding: the kernel has it as desired, with a backend in rotation', () => {
    expect(stateOf(passOf({}))).toMatchObject({
      state: 'forwarding',
      reason: null,
      scheduler: 'wlc',
      apps: ['/web'],
    });
  });

  test('out of rotation: as desired, and no backend gets new connections', () => {
    const pass = passOf({ desired: desiredOf(weighing(0, 'running, health check failing')) });
    expect(stateOf(pass)).toMatchObject({ state: 'out of rotation', reason: 'every backend has weight 0' });
  });

  test('pending: not as desired, with the write that failed', () => {
    expect(stateOf(passOf({ observed: tableOf() }))).toMatchObject({
      state: 'pending',
      reason: 'the kernel lacks it',
    });
    const failures = [
      { step: '-A -t 11.0.0.2:80 -s wlc', message: 'another one' },
      { step: '-A -t 11.0.0.1:80 -s wlc', message: 'no scheduler of this name' },
    ];
    expect(stateOf(passOf({ observed: tableOf(), over: { failures } }))?.reason).toBe(
      '-A -t 11.0.0.1:80 -s wlc: no scheduler of this name',
    );
  });

  test("conflict: another program's service has its address and port, and is not shown as ours", () => {
    const foreign = tableOf(
      observedService(WEB, {
        backends: new Map([['9.9.9.9:9', observedBackend({ address: '9.9.9.9', port: 9, ...WEIGHT_1 })]]),
      }),
    );
    const record = stateOf(passOf({ before: foreign, observed: foreign, foreign: true }));
    expect(record).toMatchObject({ state: 'conflict', reason: expect.stringContaining('another program') });
    expect([...(record?.backends.keys() ?? [])]).toEqual(['10.0.0.1:31000']);
    expect(record?.backends.get('10.0.0.1:31000')?.inKernel).toBe(false);
  });

  test('no backend: declared, listed once for any number of apps, with the address that its name keeps', () => {
    const desired = {
      ...desiredOf(WEB),
      withoutService: new Map([['idle', [declared, { ...declared, app: '/also' }]]]),
      memory: { addresses: new Map([['idle.marathon', { ipv4: '11.7.7.7' }]]), labels: new Map() },
    };
    const records = recordsAfter(passOf({ desired, observed: settled(WEB) }));
    expect([...records.keys()]).toEqual([WEB_ID, 'tcp/idle.marathon:80']);
    expect(records.get('tcp/idle.marathon:80')).toMatchObject({
      state: 'no backend',
      address: '11.7.7.7',
      apps: ['/also', '/idle'],
      fqdn: 'idle.marathon.l4lb.thisdcos.directory',
    });
  });

  test('draining: it is being removed, with the deadline of each backend, and is not also listed without backends', () => {
    const drains = new Map([[WEB_ID, new Map([['10.0.0.1:31000', 1_300_000]])]]);
    const both = settled(WEB, DB);
    const desired = { ...desiredOf(DB), declared: [{ ...declared, app: '/web', name: 'web' }] };
    const leaving = passOf({ desired, before: both, observed: both, over: { drains } });
    const records = recordsAfter(passOf({ desired: desiredOf(WEB, DB) }), leaving);
    expect([...records.keys()].sort()).toEqual([WEB_ID, 'tcp/11.0.0.2:5432']);
    const record = records.get(WEB_ID);
    expect(record).toMatchObject({ state: 'draining', name: 'web', apps: ['/web'], fqdn: WEB.fqdn });
    expect(record?.backends.get('10.0.0.1:31000')).toMatchObject({
      drainsUntil: 1_300_000,
      app: '/app',
      reason: 'draining: no longer a backend of this VIP',
      since: 1_001_000,
    });
  });

  test('held: backends that would be removed stay, with the reason, and are neither draining nor pending', () => {
    const observed = settled(WEB, DB);
    const gone = passOf({ desired: desiredOf(), before: observed, observed });
    const brake = {
      observed,
      owned: gone.plan.owned,
      taskAt: () => null,
      named: () => false,
      leftOut: () => false,
      heldBefore: () => false,
      share: 0.5,
    };
    const decision = { rule: 'mass removal', endsWhen: 'a source names it', endsAt: 1_060_000 } as const;
    const decisions = new Map([[WEB_ID, new Map([['10.0.0.1:31000', decision]])]]);
    const held = recordsAfter({
      ...gone,
      plan: completed(holdMassRemoval(gone.plan, brake).plan),
      decisions,
    });
    expect(held.get(WEB_ID)).toMatchObject({ state: 'held', reason: 'no source mentions it any more' });
    expect(held.get(WEB_ID)?.backends.get('10.0.0.1:31000')).toMatchObject({
      weight: 1,
      drainsUntil: null,
      reason: 'held: its task is missing from the source',
      decision,
    });

    const sick = [
      weighing(0, 'running, health unknown'),
      service('11.0.0.2', 5_432, [backend('10.0.0.2', 31_001, { weight: 0 })]),
    ];
    const lost = passOf({ desired: desiredOf(...sick), before: observed, observed });
    const taskAt = () => ({ drainSeconds: 300, condition: 'health lost' as const });
    const { plan } = holdMassRemoval(lost.plan, { ...brake, taskAt });
    const kept = recordsAfter({ ...lost, plan: completed(plan), decisions });
    expect(kept.get(WEB_ID)).toMatchObject({ state: 'held', apps: ['/web'] });
    expect(kept.get(WEB_ID)?.backends.get('10.0.0.1:31000')).toMatchObject({
      weight: 1,
      reason: 'held: its health results are lost',
      task: 'task-10.0.0.1:31000',
    });
  });

  test('a container of this host is shown with how other hosts reach it', () => {
    const local = service('11.0.0.1', 80, [
      backend('172.17.0.2', 80, { hostPort: { address: '10.0.0.1', port: 31_000 } }),
    ]);
    const record = stateOf(passOf({ desired: desiredOf(local) }));
    expect(record?.backends.get('172.17.0.2:80')?.hostPort).toEqual({ address: '10.0.0.1', port: 31_000 });
  });

  test('a UDP backend of weight 0 is kept out of the kernel, and the VIP still counts as desired', () => {
    const udp = service('11.0.0.1', 53, [backend('10.0.0.1', 53), backend('10.0.0.2', 53, { weight: 0 })], {
      protocol: 'udp',
    });
    const [kept] = [...udp.backends.values()];
    const have = observedService(udp, {
      backends: new Map([['10.0.0.1:53', observedBackend(kept ?? backend('', 0))]]),
    });
    const record = stateOf(passOf({ desired: desiredOf(udp), observed: tableOf(have) }), 'udp/11.0.0.1:53');
    expect(record?.state).toBe('forwarding');
    expect(record?.backends.get('10.0.0.2:53')).toMatchObject({ weight: 0, inKernel: false });
  });
});

test('the records after several passes equal those of a recorder that saw only the last one', () => {
  const fate = fc.constantFrom('desired', 'desired', 'at rest', 'missing', 'left', 'absent', 'other weight');
  // The second is an IP VIP, whose record without backends has the id of the one with backends.
  const passes = fc.array(fc.tuple(fate, fate, fc.boolean()), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(passes, (steps) => {
      const recorder = new VipRecorder();
      for (const [web, ip, foreign] of steps) {
        const pass = passOfFates([web, ip], foreign);
        const before = new Map(recorder.records);
        const replaced = recorder.start(pass)(withoutPause);
        expect(timeless(recorder.records)).toEqual(timeless(recordsAfter(pass)));
        const ids = new Set([...before.keys(), ...recorder.records.keys()]);
        const other = [...ids].filter((id) => before.get(id) !== recorder.records.get(id));
        expect([...(replaced?.keys() ?? [])].sort()).toEqual(other.sort());
        expect(recorder.start(pass)(withoutPause)).toEqual(new Map());
      }
    }),
    { numRuns: 300 },
  );
});

/** Arbitrary passes: VIPs that are as desired, missing, different, leaving, or only declared. */
function passOfFates(fates: readonly string[], foreign: boolean): PassStatus {
  const made = fates.map((as, i) => {
    const what = i === 0 ? { name: 'web' } : { name: null, framework: null, fqdn: null };
    const of = (weight: number) =>
      once(
        service(`11.0.0.${i}`, 80, [backend('10.0.0.1', 31_000, { weight })], { ...what, apps: ['/web'] }),
      );
    return { as, want: of(as === 'at rest' ? 0 : 1), otherwise: of(7) };
  });
  const wanted = made.filter(({ as }) => as !== 'left' && as !== 'absent').map(({ want }) => want);
  const there = made
    .filter(({ as }) => as !== 'missing' && as !== 'absent')
    .map(({ as, want, otherwise }) => (as === 'other weight' ? otherwise : want));
  const claims = made
    .filter(({ as }) => as !== 'left')
    .map(({ want: { name, fqdn, address } }) => ({
      ...declared,
      ...(name === null ? { name, framework: null, fqdn, address } : { name, fqdn }),
    }));
  const withoutService = new Map(
    made
      .filter(({ as }) => as === 'absent')
      .map(
        ({ want }) =>
          [
            want.address,
            claims.filter(({ address, name }) =>
              want.name === null ? address === want.address : name === want.name,
            ),
          ] as const,
      ),
  );
  const desired = { ...desiredOf(...wanted), declared: claims, withoutService };
  const table = tableOf(...there.map((each) => once(observedService(each))));
  const pass = passOf({ desired, before: table, observed: table, foreign });
  // Includes services that are gone.
  const keys = new Set([...pass.plan.keys, ...made.map(({ want }) => serviceKey(want))]);
  return { ...pass, plan: { ...pass.plan, keys } };
}

const seen = new Map<string, unknown>();

/** Makes equal objects identical, as in consecutive passes. */
function once<T extends { readonly backends: ReadonlyMap<string, unknown> }>(it: T): T {
  const text = JSON.stringify([it, ...it.backends]);
  if (!seen.has(text)) seen.set(text, it);
  return seen.get(text) as T;
}

/** Removes what depends on earlier passes: times, and the owner of leaving backends. */
function timeless(records: VipRecords) {
  return [...records.values()]
    .map(({ id, state, reason, address, port, backends }) => ({
      ...{ id, state, reason, address, port },
      backends: [...backends].map(([key, { weight, reason: why, inKernel }]) => ({
        key,
        weight,
        why,
        inKernel,
      })),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
