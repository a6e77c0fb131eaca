import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DesiredState } from '../../../controller/desired/desired-state.ts';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import type { App, Task } from '../../../controller/model/app.ts';
import type { Desired } from '../../../controller/model/desired.ts';
import { app, nothingRemembered, port, snapshot, task, taskPort } from '../../support/builders.ts';
import { list } from '../../support/telling.ts';
import { lines, RULES, translator } from './support.ts';

/** Few of each, so that sources agree, half agree and disagree, and most comes back as it was. */
const HOSTS = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const host = fc.constantFrom(...HOSTS);
const text = fc.constantFrom('/a:80', '/b:80', '/A:80', '10.7.7.7:80', 'nocolon');
const labels = fc.record({
  VIP_0: text,
  VIP_1: fc.option(text, { nil: undefined }),
  IPVS_SCHEDULER: fc.constantFrom(undefined, 'rr', 'nonsense'),
});

const definition = fc.record({
  id: fc.constantFrom('/web', '/web', '/db'),
  framework: fc.constantFrom('marathon', 'marathon', 'kafka'),
  fromTasks: fc.constantFrom(false, false, true),
  ports: fc.array(labels, { minLength: 1, maxLength: 2 }),
  tasks: fc.array(
    fc.record({
      number: fc.nat(2),
      at: fc.tuple(host, host),
      state: fc.constantFrom('running' as const, 'running' as const, 'killing' as const, 'gone' as const),
      old: fc.option(labels, { nil: undefined }),
    }),
    { maxLength: 3 },
  ),
  warning: fc.constantFrom('', 'odd'),
});

const someApp: fc.Arbitrary<App> = definition.map(({ id, framework, fromTasks, ports, tasks, warning }) => {
  const declared = ports.map((given, i) => port(present(given), { at: `portDefinitions[${i}]` }));
  const made = tasks.map(({ number, at, state, old }): Task => {
    const where = declared.map((each, i) => {
      const own = old === undefined ? each : { ...each, labels: present(old) };
      const endpoint = `${at[i] ?? '10.0.0.9'}:${8_000 + i}`;
      // Each host reaches its own containers directly.
      return { ...taskPort(own, endpoint), local: [{ address: `172.17.0.${number + 2}`, port: 80 }] };
    });
    return task(`${id}.${number}`, where, { state });
  });
  return app(id, {
    framework,
    ports: declared,
    tasks: made,
    ...(warning !== '' && { warnings: [warning] }),
    ...(fromTasks && { fromTasks }),
  });
});

function present(given: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

type Lists = readonly (readonly App[])[];
/** What becomes of what the sources say; places are taken modulo the length. */
type Edit = (lists: Lists) => Lists;

const SOURCES = 3;
const of = (source: number, change: (apps: readonly App[]) => readonly App[]): Edit => {
  return (lists) => lists.map((apps, i) => (i === source % lists.length ? change(apps) : apps));
};
const source = fc.nat(SOURCES - 1);
const place = fc.nat(5);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(source, place, someApp).map(([from, at, come]) => of(from, (apps) => apps.toSpliced(at, 0, come))),
  fc
    .tuple(source, place, someApp)
    .map(([from, at, come]) => of(from, (apps) => apps.toSpliced(at % (apps.length || 1), 1, come))),
  fc.tuple(source, place).map(([from, at]) => of(from, (apps) => apps.toSpliced(at % (apps.length || 1), 1))),
  // Read anew: nothing but the objects differs.
  source.map((from) => of(from, (apps) => structuredClone(apps))),
  // One source learns what another one says already.
  fc.tuple(source, source).map(
    ([from, to]): Edit =>
      (lists) =>
        lists.map((apps, i) => (i === to ? structuredClone(lists[from] ?? []) : apps)),
  ),
  source.map((from) => of(from, (apps) => apps.toReversed())),
  fc.constant<Edit>((lists) => lists.toReversed()),
  fc.constant<Edit>((lists) => lists.map(() => [])),
);
const history = fc.array(
  fc.record({
    edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
    sources: fc.constantFrom(1, 2, 2, 3),
    here: fc.option(host, { nil: undefined }),
  }),
  { minLength: 1, maxLength: 10 },
);

const NOTHING = { services: new Map(), withoutService: new Map(), declared: [], rejected: [], warnings: [] };

function tell(inventory: Inventory, lists: readonly (readonly App[])[]): void {
  for (const [source, apps] of lists.entries()) list(inventory, String(source), snapshot(...apps));
  inventory.settle(() => false);
}

test('after any history of several sources and host addresses, the desired state is the one made from nothing', () => {
  fc.assert(
    fc.property(history, (steps) => {
      let here: ReadonlySet<string> = new Set();
      const hostAddresses = () => here;
      const inventory = new Inventory();
      const state = new DesiredState({ ...RULES, hostAddresses }, inventory, nothingRemembered);
      let lists: Lists = Array.from({ length: SOURCES }, () => []);
      for (const { edits, sources, here: address } of steps) {
        for (const change of edits) lists = change(lists);
        // The same object as long as they are the same.
        const addresses = address === undefined ? [] : [address];
        if ([...here].join() !== addresses.join()) here = new Set(addresses);
        tell(
          inventory,
          lists.map((apps, i) => (i < sources ? apps : [])),
        );
        const { memory } = state;
        state.update({ complete: true });
        const anew = translator({ hostAddresses })(structuredClone(inventory.toSnapshot()), memory);
        expect(told(state)).toEqual(told(anew));
      }
    }),
    { numRuns: 500 },
  );
});

test('what no source tells of is nowhere, whatever they said before', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const inventory = new Inventory();
      const state = new DesiredState(RULES, inventory, nothingRemembered);
      let lists: Lists = Array.from({ length: SOURCES }, () => []);
      for (const { edits, sources } of steps) {
        for (const change of edits) lists = change(lists);
        tell(
          inventory,
          lists.map((apps, i) => (i < sources ? apps : [])),
        );
        state.update({ complete: true });
      }
      tell(
        inventory,
        lists.map(() => []),
      );
      state.update({ complete: true });
      const { services, withoutService, declared, rejected, warnings, memory } = state;
      expect({ services, withoutService, declared, rejected, warnings }).toEqual(NOTHING);
      expect(memory).toEqual(nothingRemembered);
    }),
  );
});

test('an app is declared once for each VIP and protocol, however many sources define it', () => {
  fc.assert(
    fc.property(fc.array(fc.array(someApp, { maxLength: 3 }), { minLength: 1, maxLength: 3 }), (lists) => {
      const merged = Inventory.of(lists.map((apps) => snapshot(...apps))).toSnapshot();
      const { declared } = translator()(merged, nothingRemembered);
      const keys = declared.map((one) =>
        JSON.stringify([one.app, one.framework, one.fqdn, one.address, one.protocol, one.port]),
      );
      const named = keys.filter((key) => !key.includes('"10.7.7.7"'));
      expect(new Set(named).size).toBe(named.length);
    }),
  );
});

/** Everything, in its order. */
function told(desired: Desired) {
  const { services, declared, rejected, warnings, memory } = desired;
  const sorted = [...services].sort();
  const backends = sorted.map(([key, service]) => [key, [...service.backends].sort()]);
  return { lines: lines(desired).toSorted(), services, backends, declared, rejected, warnings, memory };
}
