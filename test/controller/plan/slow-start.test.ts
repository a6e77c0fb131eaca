import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endpointKey } from '../../../controller/model/endpoint.ts';
import type { ObservedBackend } from '../../../controller/model/kernel.ts';
import type { Backend, Service } from '../../../controller/model/service.ts';
import { advanceRamps, nextStepOf, type Ramps, weigh } from '../../../controller/plan/slow-start.ts';
import { backend, service } from '../../support/builders.ts';

const SECONDS = 90;
const STEP_MS = 10_000;

/** One VIP, its kernel and its memory, in which each pass makes the kernel as desired. */
class OneVip {
  now = 1_000_000.25;
  ramps: Ramps | undefined;
  seconds = SECONDS;
  /** Weights as labels and health have them. */
  readonly wanted = new Map<string, number>();
  readonly kernel = new Map<string, number>();

  constructor(...wanted: readonly (readonly [string, number])[]) {
    for (const [address, weight] of wanted) this.wanted.set(address, weight);
  }

  get desired(): Service {
    const backends = [...this.wanted].map(([address, weight]) => backend(address, 80, { weight }));
    return service('11.0.0.1', 80, backends, { slowStartSeconds: this.seconds });
  }

  get observed() {
    const backends = [...this.kernel].map(([address, weight]): ObservedBackend => {
      const { address: _, port: __, ...settings } = backend(address, 80, { weight });
      return { ...settings, address, port: 80, activeConnections: 0, inactiveConnections: 0 };
    });
    return {
      ...service('11.0.0.1', 80),
      backends: new Map(backends.map((each) => [endpointKey(each), each])),
    };
  }

  pass(): Record<string, number> {
    const { desired, observed } = this;
    this.ramps = advanceRamps(desired, observed, this.ramps, this.now);
    this.kernel.clear();
    for (const { address, weight } of weigh(desired, this.ramps).backends.values())
      this.kernel.set(address, weight);
    return Object.fromEntries(this.kernel);
  }

  /** Passes when each step is due, for so long. */
  run(ms: number): void {
    for (const end = this.now + ms; ; ) {
      this.pass();
      const next = this.ramps === undefined ? null : nextStepOf(this.ramps, this.observed);
      this.now = Math.min(next ?? end, end);
      if (this.now >= end) break;
    }
    this.pass();
  }

  restart(): void {
    this.ramps = undefined;
  }
}

function started(): OneVip {
  const vip = new OneVip(['a', 1], ['b', 1]);
  vip.pass();
  return vip;
}

describe('a backend that comes into rotation beside others', () => {
  test('grows from a tenth to its weight in ten steps', () => {
    const vip = started();
    vip.wanted.set('c', 3);
    const seen: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      const { a, b, c = 0 } = vip.pass();
      expect([a, b]).toEqual([100, 100]);
      seen.push(c);
      vip.now += STEP_MS;
    }
    expect(seen).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300]);
  });

  test('tells how far it is', () => {
    const vip = started();
    vip.wanted.set('c', 1);
    vip.run(3 * STEP_MS);
    const { backends } = weigh(vip.desired, vip.ramps);
    expect(backends.get('c:80')).toMatchObject({ weight: 40, reason: 'slow start: 40 %' });
    expect(backends.get('a:80')).toMatchObject({ weight: 100, reason: 'running, no health check' });
  });

  test('begins when the kernel has it, however long that takes', () => {
    const vip = started();
    vip.wanted.set('c', 1);
    for (let i = 0; i < 20; i += 1) {
      expect(vip.pass()).toMatchObject({ c: 10 });
      vip.kernel.delete('c');
      vip.now += STEP_MS;
      expect(nextStepOf(vip.ramps as Ramps, vip.observed)).toBeNull();
    }
  });

  test('does so again when it was unhealthy, ejected or gone', () => {
    const vip = started();
    vip.wanted.set('a', 0);
    expect(vip.pass()).toEqual({ a: 0, b: 100 });
    vip.wanted.set('a', 1);
    expect(vip.pass()).toEqual({ a: 10, b: 100 });
    vip.run(SECONDS * 1_000);
    vip.wanted.delete('a');
    vip.pass();
    vip.wanted.set('a', 1);
    expect(vip.pass()).toEqual({ a: 10, b: 100 });
  });

  test('stays as it is where its removal was held', () => {
    const vip = started();
    vip.wanted.delete('a');
    vip.ramps = advanceRamps(vip.desired, vip.observed, vip.ramps, vip.now);
    vip.wanted.set('a', 1);
    expect(vip.pass()).toEqual({ a: 100, b: 100 });
  });
});

describe('full weight at once', () => {
  test('have the first backends of a VIP, and those of one whose backends are all new', () => {
    const vip = started();
    expect(vip.pass()).toEqual({ a: 100, b: 100 });
    vip.wanted.clear();
    vip.wanted.set('c', 1).set('d', 1);
    expect(vip.pass()).toEqual({ c: 100, d: 100 });
  });

  test('have those that grow once nobody else is left', () => {
    const vip = started();
    vip.wanted.set('c', 1);
    vip.run(STEP_MS);
    vip.wanted.set('a', 0).delete('b');
    expect(vip.pass()).toEqual({ a: 0, c: 100 });
  });

  test('have backends of a VIP that gets slow start only now', () => {
    const vip = new OneVip(['a', 5], ['b', 1]);
    vip.kernel.set('a', 5).set('b', 1);
    expect(vip.pass()).toEqual({ a: 500, b: 100 });
  });
});

describe('a weight that someone else set', () => {
  test.each([0, 7, 40, 100_000])('of a backend at full weight is corrected: %d', (weight) => {
    const vip = started();
    vip.kernel.set('a', weight);
    expect(vip.pass()).toEqual({ a: 100, b: 100 });
  });

  test.each([7, 80, 100])('of one that grows is what it has come to: %d', (weight) => {
    const vip = started();
    vip.wanted.set('c', 1);
    vip.run(3 * STEP_MS);
    vip.kernel.set('c', weight);
    expect(vip.pass()).toEqual({ a: 100, b: 100, c: 40 });
  });
});

describe('a restart', () => {
  test('goes on where the backend was', () => {
    const vip = started();
    vip.wanted.set('c', 1);
    vip.run(3 * STEP_MS);
    vip.restart();
    expect(vip.pass()).toMatchObject({ c: 40 });
    vip.now += 3 * STEP_MS;
    expect(vip.pass()).toMatchObject({ c: 70 });
  });

  test('never lowers what the kernel has', () => {
    const vip = started();
    vip.kernel.set('c', 55);
    vip.wanted.set('c', 1);
    vip.restart();
    expect(vip.pass()).toMatchObject({ c: 60 });
  });
});

test('another time for the same VIP goes on from where its backends are', () => {
  const vip = started();
  vip.wanted.set('c', 1);
  vip.run(3 * STEP_MS);
  vip.seconds = 9;
  expect(vip.pass()).toMatchObject({ c: 40 });
  vip.now += 1_000;
  expect(vip.pass()).toMatchObject({ c: 50 });
});

// ---- any history --------------------------------------------------------------------------------------

const address = fc.constantFrom('a', 'b', 'c', 'd');
const happening = fc.oneof(
  fc.record({ what: fc.constant('wants' as const), address, weight: fc.constantFrom(0, 1, 1, 2, 655) }),
  fc.record({ what: fc.constant('gone' as const), address }),
  fc.record({ what: fc.constant('passes' as const), ms: fc.double({ min: 0, max: 40_000, noNaN: true }) }),
  fc.record({ what: fc.constant('restart' as const) }),
  fc.record({ what: fc.constant('seconds' as const), seconds: fc.constantFrom(1, 7, 90, 3_600) }),
);

type AppEvent = typeof happening extends fc.Arbitrary<infer Value> ? Value : never;

function happens(vip: OneVip, each: AppEvent): void {
  if (each.what === 'wants') vip.wanted.set(each.address, each.weight);
  else if (each.what === 'gone') vip.wanted.delete(each.address);
  else if (each.what === 'passes') vip.now += each.ms;
  else if (each.what === 'restart') vip.restart();
  else vip.seconds = each.seconds;
}

/** What is wrong with the weights that a pass came to. */
function faultsOf({ wanted, kernel }: OneVip, before: Pick<OneVip, 'wanted' | 'kernel'>): string[] {
  const faults: string[] = [];
  for (const [of, weight] of wanted) {
    const has = kernel.get(of) ?? -1;
    const fault = (what: string) => faults.push(`${of}: ${has} of ${weight} ${what}`);
    if (has < 10 * weight) fault('is less than a tenth');
    if (has > 100 * weight) fault('is more than its weight');
    if (has % 10 !== 0) fault('is no tenth');
    const stays = before.wanted.get(of) === weight;
    if (stays && has < (before.kernel.get(of) ?? 0)) fault('is less than before');
  }
  const serving = [...wanted].filter(([, weight]) => weight > 0);
  if (serving.length > 0 && serving.every(([of, weight]) => kernel.get(of) !== 100 * weight))
    faults.push('none has its full weight');
  return faults;
}

test('in any history each backend in rotation has a tenth of its weight at least, all of it at most, and one has it all', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (history) => {
      const vip = new OneVip();
      for (const each of history) {
        const before = { kernel: new Map(vip.kernel), wanted: new Map(vip.wanted) };
        happens(vip, each);
        vip.pass();
        expect(faultsOf(vip, before)).toEqual([]);
      }
      // Once nothing changes any more, all of it is there after that time, and nothing is due.
      vip.run(vip.seconds * 1_000);
      for (const [of, weight] of vip.wanted) expect(vip.kernel.get(of)).toBe(100 * weight);
      const { ramps } = vip;
      expect(ramps === undefined ? null : nextStepOf(ramps, vip.observed)).toBeNull();
      vip.now += 1_000_000;
      vip.pass();
      expect(vip.ramps).toBe(ramps);
    }),
  );
});

test('a step is made when it is due, and not before', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3_600 }),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      (seconds, now) => {
        const vip = started();
        vip.now = now;
        vip.seconds = seconds;
        vip.pass();
        vip.wanted.set('c', 1);
        vip.pass();
        for (let weight = 10; weight < 100; weight += 10) {
          expect(vip.kernel.get('c')).toBe(weight);
          const due = nextStepOf(vip.ramps as Ramps, vip.observed) ?? Number.NaN;
          vip.now = due - 1;
          expect(vip.pass()).toMatchObject({ c: weight });
          vip.now = due;
          vip.pass();
        }
        expect(vip.kernel.get('c')).toBe(100);
        expect(vip.now).toBeCloseTo(now + seconds * 1_000, 3);
      },
    ),
    { numRuns: 50 },
  );
});

test('backends that grow are those that the service has in rotation, and nothing else of it changes', () => {
  const { desired } = started();
  const weighed = weigh(desired);
  const others = ({ backends, ...rest }: Service) => rest;
  expect(others(weighed)).toEqual(others(desired));
  const without = ({ weight, ...rest }: Backend) => rest;
  expect([...weighed.backends.values()].map(without)).toEqual([...desired.backends.values()].map(without));
});
