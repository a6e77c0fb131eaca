import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parsePool } from '../../../controller/desired/pool.ts';
import { createTranslatorInParts } from '../../../controller/desired/translate.ts';
import type { App, Memory } from '../../../controller/model.ts';
import { app, nothingRemembered, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import { lines, passes, translator } from './support.ts';

test('a service about which nothing changed is the same object again', () => {
  const pass = passes();
  const [a, b] = [web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1'), web('/b', { VIP_0: 'b:80' }, '10.0.0.2:1')];
  const first = pass(a, b);
  const second = pass(a, web('/b', { VIP_0: 'b:80' }, '10.0.0.2:1', '10.0.0.3:1'));
  const same = [...first.services].filter(([key, service]) => second.services.get(key) === service);
  expect(same.map(([, { apps }]) => apps)).toEqual([['/a']]);
});

test('an app that is another object with the same content keeps its services, and the memory is the same object', () => {
  const pass = passes();
  const make = () => web('/a', { VIP_0: 'a:80', VIP_1: '10.7.7.7:80' }, '10.0.0.1:1', '10.0.0.2:1');
  const [first, second] = [pass(make()), pass(make())];
  for (const [key, service] of first.services) expect(second.services.get(key)).toBe(service);
  expect(second.services.size).toBe(2);
  expect(second.memory).toBe(first.memory);
});

test('in a service that changed, the backends that did not are the same objects', () => {
  const pass = passes();
  const [before] = pass(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1', '10.0.0.2:1')).services.values();
  const [after] = pass(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1', '10.0.0.3:1')).services.values();
  expect(after).not.toBe(before);
  expect(after?.backends.get('10.0.0.1:1')).toBe(before?.backends.get('10.0.0.1:1'));
  expect([...(after?.backends.keys() ?? [])]).toEqual(['10.0.0.1:1', '10.0.0.3:1']);
});

test('of an app that is read again, only what changed is made anew, whatever changed', () => {
  // The same VIPs and places again and again, so that nearly everything is remembered from the pass before.
  const tasks = fc.array(
    fc.record({
      id: fc.constantFrom('a.0', 'a.1'),
      where: fc.constantFrom('10.0.0.1:1', '10.0.0.2:1', '[fd01:b::1]:1'),
      state: fc.constantFrom('running' as const, 'killing' as const),
      health: fc.constantFrom('healthy' as const, 'unhealthy' as const),
    }),
    { maxLength: 3 },
  );
  const step = fc.record({
    tasks,
    weight: fc.constantFrom('1', '5'),
    persistence: fc.constantFrom('0', '60'),
    second: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 6 }), (steps) => {
      const seasoned = translator();
      let memory: Memory = nothingRemembered;
      for (const { tasks: all, weight, persistence, second } of steps) {
        const vips = { VIP_0: 'a:80', ...(second && { VIP_1: 'b:80' }) };
        const declared = port({ ...vips, IPVS_WEIGHT: weight, IPVS_PERSISTENCE_SECONDS: persistence });
        const made = all.map(({ id, where, ...what }) => task(id, [taskPort(declared, where)], what));
        const now = snapshot(app('/a', { ports: [declared], tasks: made }));
        const desired = seasoned(now, memory);
        expect(desired).toEqual(translator()(now, memory));
        memory = desired.memory;
      }
    }),
    { numRuns: 200 },
  );
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
      expect(backward).toEqual(forward);
      expect(lines(backward)).toEqual(lines(forward));
      expect(backward.declared).toEqual(forward.declared);
    }),
  );
});

test('a translation whose parts are far between says what one says that is made at once', () => {
  fc.assert(
    fc.property(fc.array(apps, { minLength: 1, maxLength: 4 }), (steps) => {
      const pools = { ipv4: parsePool('11.0.0.0/8'), ipv6: parsePool('fd01:c::/64') };
      const inParts = createTranslatorInParts({ zone: 'l4lb.thisdcos.directory', pools });
      const whole = translator();
      let memory: Memory = nothingRemembered;
      for (const now of steps) {
        const desired = whole(snapshot(...now), memory);
        const parts = inParts(snapshot(...now), memory);
        const asked = [];
        let next = parts.next();
        for (; !next.done; next = parts.next()) asked.push(next.value);
        expect(next.value).toEqual(desired);
        expect(asked.length).toBeGreaterThan(0);
        memory = desired.memory;
      }
    }),
  );
});

test('a translator that has seen other passes says what a new one says, and repeats itself to the object', () => {
  // Some apps of one pass are the same objects in the next: that is where a stale memory would show.
  const history = fc.array(fc.tuple(apps, fc.array(fc.nat({ max: 5 }))), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(history, (steps) => {
      const seasoned = translator();
      let memory: Memory = nothingRemembered;
      let before: readonly App[] = [];
      for (const [fresh, kept] of steps) {
        const old = before.filter((_, i) => kept.includes(i));
        const key = ({ id, framework }: App) => `${framework}${id}`;
        const now = [...old, ...fresh.filter((each) => !old.some((other) => key(other) === key(each)))];
        const desired = seasoned(snapshot(...now), memory);
        const anew = translator()(snapshot(...now), memory);
        expect(desired).toEqual(anew);
        expect([...desired.services.keys()]).toEqual([...anew.services.keys()]);

        const again = seasoned(snapshot(...now), desired.memory);
        if (anew.memory === memory) {
          for (const [name, service] of desired.services) expect(again.services.get(name)).toBe(service);
          expect(again.memory).toBe(desired.memory);
        }
        memory = desired.memory;
        before = now;
      }
    }),
    { numRuns: 300 },
  );
});
