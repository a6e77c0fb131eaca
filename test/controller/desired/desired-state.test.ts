import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { DesiredState } from '../../../controller/desired/desired-state.ts';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import { type App, appKey } from '../../../controller/model/app.ts';
import { app, nothingRemembered, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import { list } from '../../support/telling.ts';
import { lines, RULES, translator } from './support.ts';

/** A state that follows what one source says. */
class Following {
  readonly inventory = new Inventory();
  readonly state = new DesiredState(RULES, this.inventory, nothingRemembered);

  tell(...apps: readonly App[]): ReadonlySet<string> {
    list(this.inventory, 'one', snapshot(...apps));
    this.inventory.settle(() => false);
    this.state.update({ complete: true });
    return this.state.takeTouched();
  }
}

test('an update touches the services that differ, and no others', () => {
  const following = new Following();
  const [a, b] = [web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1'), web('/b', { VIP_0: 'b:80' }, '10.0.0.2:1')];
  following.tell(a, b);
  const before = new Map(following.state.services);
  const touched = following.tell(a, web('/b', { VIP_0: 'b:80' }, '10.0.0.2:1', '10.0.0.3:1'));
  const appsOf = (keys: Iterable<string>) =>
    [...keys].flatMap((key) => following.state.services.get(key)?.apps ?? []);
  expect(appsOf(touched)).toEqual(['/b']);
  const same = [...before].filter(([key, service]) => following.state.services.get(key) === service);
  expect(appsOf(same.map(([key]) => key))).toEqual(['/a']);
});

test('an app that is read again and says the same touches nothing', () => {
  const following = new Following();
  const make = () => web('/a', { VIP_0: 'a:80', VIP_1: '10.7.7.7:80' }, '10.0.0.1:1', '10.0.0.2:1');
  expect(following.tell(make()).size).toBe(2);
  const { memory } = following.state;
  expect(following.tell(make()).size).toBe(0);
  expect(following.state.memory).toBe(memory);
});

const texts = fc.oneof(
  fc.constantFrom('web:80', '/web:80', 'Web:80', 'api.prod:81', '10.7.7.7:80', '10.7.7.8:80', 'fd01:d::7:80'),
  fc.constantFrom('nocolon', ':80', '10.0.0.1:80', '11.225.37.143:80', '/10.7.7.7:80', '[::1]:80', '%:80'),
  fc.string({ maxLength: 12, unit: 'binary' }),
);
const labels = fc.dictionary(
  fc.constantFrom('VIP_0', 'VIP_1', 'vip', 'IPVS_SCHEDULER', 'IPVS_WEIGHT', 'other'),
  texts,
  { maxKeys: 4 },
);
const endpoints = fc.array(fc.constantFrom('10.0.0.1:1', '10.0.0.2:1', '[fd01:b::1]:1', '[FD01:B:0::1]:1'), {
  maxLength: 2,
});

/** An app whose tasks may run other labels than the definition has. */
const apps: fc.Arbitrary<readonly App[]> = fc.uniqueArray(
  fc
    .record({
      id: fc.constantFrom('/a', '/b', '/c/d', '/e'),
      framework: fc.constantFrom('marathon', 'dev/kafka'),
      now: labels,
      tasks: fc.array(
        fc.record({
          labels: fc.option(labels),
          endpoints,
          state: fc.constantFrom('running' as const, 'killing' as const, 'gone' as const),
          // Some of them are addresses that others ask for as VIPs.
          agent: fc.option(fc.constantFrom('10.7.7.7', '10.7.7.8', '10.0.0.3'), { freq: 2, nil: undefined }),
          container: fc.option(fc.constantFrom('10.7.7.8', 'fd01:d::7'), { freq: 2, nil: undefined }),
          backendAddress: fc.constantFrom('agent' as const, 'container' as const),
        }),
        { maxLength: 3 },
      ),
      protocols: fc.constantFrom(['tcp'], ['udp', 'tcp'], ['http'], []),
    })
    .map(({ id, framework, now, tasks, protocols }) => {
      const declared = port(now, { protocols });
      return app(id, {
        framework,
        ports: [declared],
        tasks: tasks.map((each, i) =>
          task(
            `${id}.${i}`,
            [
              taskPort(
                { ...declared, labels: each.labels ?? now, backendAddress: each.backendAddress },
                ...each.endpoints,
              ),
            ],
            {
              state: each.state,
              ...(each.agent !== undefined && { agent: { host: 'agent', address: each.agent } }),
              ...(each.container !== undefined && { addresses: [each.container] }),
            },
          ),
        ),
      });
    }),
  { selector: ({ id, framework }) => `${framework}${id}`, maxLength: 6 },
);

test('the result does not depend on the order of apps, whatever their labels say', () => {
  fc.assert(
    fc.property(apps, apps, (earlier, now) => {
      const { memory } = translator()(snapshot(...earlier), nothingRemembered);
      const forward = translator()(snapshot(...now), memory);
      const backward = translator()(snapshot(...now.toReversed()), memory);
      expect(toldBy(backward)).toEqual(toldBy(forward));
      expect(lines(backward)).toEqual(lines(forward));
      expect(backward.declared).toEqual(forward.declared);
    }),
  );
});

test('an update that rests after each piece of work comes to what one comes to that is made at once', () => {
  fc.assert(
    fc.property(fc.array(apps, { minLength: 1, maxLength: 4 }), (steps) => {
      const [resting, whole] = [new Following(), new Following()];
      for (const now of steps) {
        whole.tell(...now);
        list(resting.inventory, 'one', snapshot(...now));
        while (!resting.inventory.settle(() => true));
        resting.state.begin({ complete: true });
        while (!resting.state.work(() => true));
        resting.state.commit();
        expect(toldBy(resting.state)).toEqual(toldBy(whole.state));
      }
    }),
  );
});

test('after any history a state says what one says that is made from nothing, and touched what differs', () => {
  const history = fc.array(fc.tuple(apps, fc.array(fc.nat({ max: 5 }))), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(history, (steps) => {
      const following = new Following();
      let before: readonly App[] = [];
      for (const [fresh, kept] of steps) {
        const old = before.filter((_, i) => kept.includes(i));
        const stays = new Set(old.map(appKey));
        before = [...old, ...fresh.filter((each) => !stays.has(appKey(each)))];
        const { memory } = following.state;
        const had = new Map(following.state.services);
        const touched = following.tell(...before);
        expect(toldBy(following.state)).toEqual(toldBy(translator()(snapshot(...before), memory)));
        const now = following.state.services;
        const other = [...new Set([...had.keys(), ...now.keys()])].filter(
          (key) => had.get(key) !== now.get(key),
        );
        expect([...touched].sort()).toEqual(other.sort());
      }
    }),
    { numRuns: 300 },
  );
});

/** Everything that it says, whatever the order in which it came to it. */
function toldBy({ services, withoutService, declared, rejected, warnings, memory, refused }: Told) {
  const sorted = <Value>(map: ReadonlyMap<string, Value> | undefined) => new Map([...(map ?? [])].sort());
  const { addresses, labels } = memory;
  return {
    ...{ services: sorted(services), withoutService: sorted(withoutService), refused: sorted(refused) },
    ...{ declared, rejected, warnings, addresses: sorted(addresses), labels: sorted(labels) },
  };
}

type Told = ReturnType<ReturnType<typeof translator>>;

test('the first update costs in proportion to its apps, however often it rests', () => {
  const lookUps = (count: number): number => {
    const inventory = new Inventory();
    const state = new DesiredState(RULES, inventory, nothingRemembered);
    list(
      inventory,
      'one',
      snapshot(
        ...Array.from({ length: count }, (_, i) => web(`/a${i}`, { VIP_0: `a${i}:80` }, `10.0.0.1:${i + 1}`)),
      ),
    );
    inventory.settle(() => false);
    state.begin({ complete: true });
    const has = jest.spyOn(Map.prototype, 'has');
    try {
      while (!state.work(() => true));
      return has.mock.calls.length;
    } finally {
      has.mockRestore();
    }
  };
  expect(lookUps(400) / lookUps(100)).toBeLessThan(5);
});
