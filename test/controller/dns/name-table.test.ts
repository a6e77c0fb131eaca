import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Service } from '../../../controller/model/service.ts';
import { service } from '../../support/builders.ts';
import { ask, byKey, changesTo, indexOf, lines, told, WEB, ZONE } from './asking.ts';

const names = (table: { readonly nodes: ReadonlyMap<string, unknown> }) => [...table.nodes.keys()].sort();

describe('names that come and go', () => {
  test('the last VIP of a name takes all of its names with it, and no others', () => {
    const web = service('11.0.0.1', 80, [], { name: 'web' });
    const api = service('11.0.0.2', 80, [], { name: 'api.web' });
    const table = indexOf([]);
    const empty = names(table);
    table.update(byKey([web, api]), () => 0);
    table.update(changesTo([api], [web]), () => 0);
    // A name below it still exists.
    expect(told(ask(WEB, { index: table }))).toMatchObject({ rcode: 'NOERROR', answers: [] });
    expect(told(ask(`_80._tcp.${WEB}`, { type: 'SRV', index: table })).rcode).toBe('NXDOMAIN');
    table.update(changesTo([], [api]), () => 0);
    expect(names(table)).toEqual(empty);
  });

  test('an address that moves from one name to another resolves to the new one', () => {
    const before = [service('11.0.0.2', 80, [], { name: 'b' }), service('11.0.0.1', 80, [], { name: 'a' })];
    const table = indexOf(before);
    table.update(changesTo([service('11.0.0.1', 81, [], { name: 'b' })], before), () => 0);
    const reply = told(ask('1.0.0.11.in-addr.arpa', { type: 'PTR', index: table }));
    expect(lines(reply.answers)).toEqual([`1.0.0.11.in-addr.arpa PTR b.marathon.${ZONE}`]);
  });

  test("no VIP replaces a zone's own records", () => {
    const ns = service('11.0.0.1', 80, [], { name: 'ns', fqdn: `ns.${ZONE}` });
    const top = service('11.0.0.2', 80, [], { name: 'top', fqdn: ZONE });
    const table = indexOf([ns, top]);
    expect(lines(told(ask(`ns.${ZONE}`, { index: table })).answers)).toEqual([`ns.${ZONE} A 198.51.100.4`]);
    expect(told(ask(ZONE, { index: table })).answers).toEqual([]);
    expect(told(ask(ZONE, { index: table, type: 'SOA' })).answers).toHaveLength(1);
  });

  test('incremental updates give the same names as a full one', () => {
    const all = ['web', 'api', 'api.svc', 'svc', 'a.b.c', 'b.c'];
    const some = fc
      .tuple(
        fc.nat(all.length - 1),
        fc.constantFrom('11.0.0.', 'fd01:c::'),
        fc.constantFrom(80, 443),
        fc.constantFrom('tcp' as const, 'udp' as const),
      )
      .map(
        ([i, network, port, protocol]): Service =>
          service(`${network}${i}`, port, [], { name: all[i] ?? '', protocol }),
      );
    const states = fc.array(fc.array(some, { maxLength: 8 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(states, (each) => {
        const table = indexOf([]);
        let before: readonly Service[] = [];
        for (const state of each) {
          table.update(changesTo(state, before), () => 0);
          before = state;
        }
        const atOnce = indexOf(each.at(-1) ?? []);
        expect(names(table)).toEqual(names(atOnce));
        for (const [name, { zone, sets }] of atOnce.nodes) {
          const node = table.nodes.get(name);
          expect(node?.zone).toBe(zone);
          const known = (all: typeof sets) =>
            all.map(({ type, answers, extras }) => `${type} ${answers} ${extras}`);
          expect(known(node?.sets ?? [])).toEqual(known(sets));
        }
      }),
    );
  });

  test('a changed VIP leaves the records of all others untouched', () => {
    const all = Array.from({ length: 1_000 }, (_, i) =>
      service(`11.1.${i >> 8}.${i & 255}`, 80, [], { name: `web${i}` }),
    );
    const table = indexOf(all);
    const setsOf = () => new Map([...table.nodes].map(([name, { sets }]) => [name, sets]));
    const before = setsOf();
    table.update(changesTo(all.slice(1), all), () => 0);
    const after = setsOf();
    const changed = [...before].filter(([name, sets]) => after.get(name) !== sets).map(([name]) => name);
    // The VIP's name and its reverse name, empty names above them, and the apex of each zone.
    expect(changed.length).toBeLessThan(10);
  });
});
