import { describe, expect, test } from '@jest/globals';
import type { Desired } from '../../../controller/model/desired.ts';
import type { Table } from '../../../controller/model/kernel.ts';
import type { Service } from '../../../controller/model/service.ts';
import { createHostOrder } from '../../../controller/plan/host-order.ts';
import { backend, nothingRemembered, service } from '../../support/builders.ts';
import { observedService, tableOf } from '../../support/observed.ts';
import { createDiff } from '../../support/planning.ts';
import { firstOfHost, maxOverMean, median } from '../../support/spread.ts';

const web = (...ports: readonly number[]) =>
  service(
    '11.0.0.1',
    80,
    ports.map((port) => backend('10.0.0.1', port)),
  );
const TEN = web(...Array.from({ length: 10 }, (_, i) => 31_000 + i));

/** The ports of the backends that one host adds, in its order. */
function added(hostId: string, want: Service, have: Table = new Map()): number[] {
  const services = new Map([['tcp/11.0.0.1:80', want]]);
  const desired: Desired = {
    services,
    declares: () => true,
    withoutService: new Map(),
    declared: [],
    rejected: [],
    warnings: [],
    memory: nothingRemembered,
    refused: new Map(),
  };
  const plan = createDiff(createHostOrder(hostId))(desired, have, {
    owned: new Map(),
    inPool: () => true,
    adopt: false,
  });
  return plan.growing.flatMap((step) => (step.op === 'add-backend' ? [step.backend.port] : []));
}

describe('the order in which a host adds the backends of a service', () => {
  test('is the same in each run, and whatever the order in which they are declared', () => {
    const other = web(...Array.from({ length: 10 }, (_, i) => 31_009 - i));
    expect(added('node-1 10.0.0.1', TEN)).toEqual(added('node-1 10.0.0.1', TEN));
    expect(added('node-1 10.0.0.1', other)).toEqual(added('node-1 10.0.0.1', TEN));
  });

  test('is another one on another host, and for another service', () => {
    const order = added('node-1 10.0.0.1', TEN);
    expect(added('node-2 10.0.0.1', TEN)).not.toEqual(order);
    expect(added('node-1 10.0.0.2', TEN)).not.toEqual(order);
    expect(order.toSorted()).toEqual(added('node-2 10.0.0.1', TEN).toSorted());
    const steps = (key: string) =>
      createHostOrder('node-1')(
        key,
        [...TEN.backends.values()].map((each) => ({ op: 'add-backend', service: TEN, backend: each })),
      ).map(({ backend: { port } }) => port);
    expect(steps('tcp/11.0.0.1:80')).not.toEqual(steps('tcp/11.0.0.2:80'));
  });

  test('holds for those that join others, for a service made again, and for one that is adopted', () => {
    const order = added('node-1', TEN);
    const few = web(31_003, 31_007);
    const rest = order.filter((port) => port !== 31_003 && port !== 31_007);
    expect(added('node-1', TEN, tableOf(observedService(few)))).toEqual(rest);
  });
});

describe('hosts that each open one connection to a VIP with ten backends', () => {
  const spread = (name: (host: number) => string, hosts: number, vip: number) =>
    maxOverMean(
      Array.from({ length: hosts }, (_, host) => firstOfHost(name(host), vip, 10)),
      10,
    );
  const NAMES: readonly [string, (host: number) => string][] = [
    ['numbered', (host) => `node-${host} 10.0.${host >> 8}.${host & 255}`],
    ['numbered from the front', (host) => `${host}.agents.example.com 10.0.${host >> 8}.${host & 255}`],
    ['of one name, with other addresses', (host) => `localhost 10.${host & 255}.${host >> 8}.1`],
    ['of one letter each', (host) => String.fromCharCode(0x4e00 + host)],
  ];

  // What independent choices would give on the average: 3.0, 2.0 and 1.2.
  test.each(NAMES)('do not meet on one of them, with names %s', (_what, name) => {
    const vips = Array.from({ length: 21 }, (_, vip) => vip);
    expect(median(vips.map((vip) => spread(name, 10, vip)))).toBeLessThanOrEqual(4);
    expect(median(vips.map((vip) => spread(name, 40, vip)))).toBeLessThanOrEqual(2.5);
    expect(median(vips.map((vip) => spread(name, 500, vip)))).toBeLessThanOrEqual(1.3);
  });

  test.each(NAMES)(
    'are independent of each other: any two agree once in ten times, with names %s',
    (_what, name) => {
      let same = 0;
      for (let vip = 0; vip < 50; vip += 1) {
        for (let host = 0; host < 40; host += 1) {
          if (firstOfHost(name(host), vip, 10) === firstOfHost(name(host + 1), vip, 10)) same += 1;
        }
      }
      expect(same / 2_000).toBeGreaterThan(0.07);
      expect(same / 2_000).toBeLessThan(0.13);
    },
  );
});
