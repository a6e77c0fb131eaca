import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Ejection, targetOf } from '../../../controller/model/ejection.ts';
import { endpointKey } from '../../../controller/model/endpoint.ts';
import type { Backend } from '../../../controller/model/service.ts';
import { ejectedOf } from '../../../controller/plan/ejected.ts';
import { WEIGHT_1 } from '../../support/builders.ts';

function backend(i: number, what: Partial<Backend> = {}): Backend {
  const of = { app: '/web', task: `web.${i}`, reason: 'running', drainSeconds: 300 };
  return { address: `10.0.0.${i}`, port: 80, ...WEIGHT_1, ...of, ...what };
}

function vip(backends: readonly Backend[]) {
  return { protocol: 'tcp' as const, backends: new Map(backends.map((one) => [endpointKey(one), one])) };
}

function failing(backends: readonly Backend[]) {
  return new Map(
    backends.map((one, i): [string, Ejection] => {
      const target = targetOf('tcp', one);
      return [target.key, { target, since: 100 - i, cause: 'timed out', reason: '', nextProbe: null }];
    }),
  );
}

describe('how much of a VIP is ejected', () => {
  test('at most half of what its sources want in rotation, and never the last, whatever fails', () => {
    const some = fc.array(fc.record({ weight: fc.constantFrom(0, 1, 5), fails: fc.boolean() }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(some, (made) => {
        const backends = made.map(({ weight }, i) => backend(i, { weight }));
        const dead = failing(backends.filter((_, i) => made[i]?.fails));
        const wanted = backends.filter(({ weight }) => weight > 0);
        const ejected = ejectedOf(vip(backends), dead);
        expect(ejected.size).toBeLessThanOrEqual(wanted.length / 2);
        expect(wanted.length === 0 || ejected.size < wanted.length).toBe(true);
        const failed = wanted.filter((one) => dead.has(`tcp/${endpointKey(one)}`)).length;
        expect(ejected.size).toBe(Math.min(failed, Math.floor(wanted.length / 2)));
      }),
    );
  });

  test('the one that has failed for longest goes first', () => {
    const backends = [backend(1), backend(2), backend(3)];
    expect([...ejectedOf(vip(backends), failing(backends)).keys()]).toEqual(['10.0.0.3:80']);
  });

  test('an app that opts out keeps its backends in rotation', () => {
    const backends = [backend(1, { eject: false }), backend(2)];
    expect([...ejectedOf(vip(backends), failing(backends)).keys()]).toEqual(['10.0.0.2:80']);
  });

  test('the same endpoint over another protocol is another backend', () => {
    const backends = [backend(1), backend(2)];
    expect(ejectedOf({ ...vip(backends), protocol: 'udp' }, failing(backends)).size).toBe(0);
  });
});
