import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Answer, WorldBackend } from '../../support/eject-backend.ts';
import { EjectWorld, randomOf, type WorldOptions, type WorldVip } from '../../support/eject-world.ts';

function backend(agent: number, answer: (at: number) => Answer = () => 1, replyBytes = 500): WorldBackend {
  return { agent: `10.0.0.${agent}`, answer, replyBytes };
}

/** A VIP with a backend on each of the agents 1 to 4, the first of which fails in this way from 5 s on. */
function failing(how: Answer, rate = 20): WorldVip {
  return { rate, backends: [backend(1, (at) => (at < 5_000 ? 1 : how)), backend(2), backend(3), backend(4)] };
}

function world(...vips: readonly WorldVip[]): EjectWorld {
  return new EjectWorld(vips, randomOf(7));
}

function ejected({ ejector }: EjectWorld): string[] {
  return [...ejector.register.ejections.values()].map(({ target }) => target.agent);
}

describe('ejection', () => {
  /** How long it takes until one that fails in this way is out, in a hundred runs, the shortest first. */
  function timesUntilOut(how: Answer, options?: WorldOptions): readonly number[] {
    return Array.from({ length: 100 }, (_, seed) => {
      const host = new EjectWorld([failing(how)], randomOf(seed), options);
      host.run(5_000);
      expect(ejected(host)).toEqual([]);
      while (ejected(host).length === 0 && host.now < 60_000) host.run(50);
      expect(ejected(host)).toEqual(['10.0.0.1']);
      const ms = host.now - 5_000;
      const { failed } = host;
      host.run(20_000);
      expect(host.failed).toBe(failed);
      return ms;
    }).sort((a, b) => a - b);
  }

  // A scheduler that counts connections sends a backend that drops them one or two, and no more for a minute.
  test.each([
    ['drops', 1_900, 3_200],
    ['refuses', 900, 1_500],
  ] as const)(
    'a backend that %s leaves the rotation within 2 s, and nothing fails after that',
    (how, usual, most) => {
      const took = timesUntilOut(how, { stepMs: 50 });
      expect(took[50]).toBeLessThanOrEqual(usual);
      expect(took.at(-1)).toBeLessThanOrEqual(most);
    },
  );

  test.each(['drops', 'refuses'] as const)(
    'one that %s leaves within 10 s where the table of connections cannot be read',
    (how) => {
      const took = timesUntilOut(how, { stepMs: 50, tableLimit: 0 });
      expect(took[50]).toBeLessThanOrEqual(6_000);
      expect(took.at(-1)).toBeLessThanOrEqual(10_000);
    },
  );

  test.each([
    ['drops, as soon as ever where those are told that wait,', 'drops', true, 1_900, 3_200],
    ['drops', 'drops', false, 4_700, 10_000],
    ['refuses', 'refuses', true, 1_200, 6_000],
  ] as const)(
    'one that %s leaves where a third of the connections is read',
    (_, how, isWaitingTold, usual, most) => {
      const took = timesUntilOut(how, { stepMs: 50, tableLimit: 9, isWaitingTold });
      expect(took[50]).toBeLessThanOrEqual(usual);
      expect(took.at(-1)).toBeLessThanOrEqual(most);
    },
  );

  test('two backends that fail shortly after each other leave within 2 s each, where enough others answer', () => {
    const later = backend(2, (at) => (at < 5_600 ? 1 : 'drops'));
    const host = world(failing('drops', 40), {
      rate: 40,
      backends: [later, backend(3), backend(4), backend(5)],
    });
    host.run(7_000);
    expect(ejected(host)).toContain('10.0.0.1');
    host.run(600);
    expect(ejected(host).sort()).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  test('the reason says what clients met and what the probe met', () => {
    const host = world(failing('drops'));
    host.run(8_000);
    const [ejection] = host.ejector.register.ejections.values();
    expect(ejection).toMatchObject({ cause: 'timed out' });
    expect(ejection?.reason).toMatch(/^\d+ connections?, no reply; connect timed out$/);
  });

  test('it comes back after two good probes, which are made ever more rarely, and at least every 30 s', () => {
    const host = world({
      rate: 20,
      backends: [backend(1, (at) => (at > 5_000 && at < 300_000 ? 'drops' : 1)), backend(2), backend(3)],
    });
    host.run(300_000);
    expect(host.probed.get('tcp/10.0.0.1:31000')).toBeLessThan(20);
    expect(ejected(host)).toEqual(['10.0.0.1']);
    host.run(31_500);
    expect(ejected(host)).toEqual([]);
    expect(host.ejector.register.returned).toBe(1);
  });

  test('healthy backends are not probed where clients show that they answer', () => {
    const host = world(failing('drops'));
    host.run(60_000);
    expect([...host.probed.keys()]).toEqual(['tcp/10.0.0.1:31000']);
  });

  test('nor are they where replies take up to 150 ms, and one whose replies take longer is probed once', () => {
    const random = randomOf(3);
    const jitter = () => 1 + random() * 150;
    const far = () => 300 + random() * 60;
    const host = world(
      { rate: 5, backends: [backend(1, jitter), backend(2, jitter), backend(3)] },
      { rate: 2, backends: [backend(4, far), backend(5)] },
    );
    host.run(1_800_000);
    expect([...host.probed]).toEqual([['tcp/10.0.0.4:31100', 1]]);
  });

  test('one whose clients all reset is probed ever more rarely', () => {
    const host = world(
      { rate: 2, resets: 1, backends: [backend(1)] },
      { rate: 2, backends: [backend(2), backend(3)] },
    );
    host.run(3_600_000);
    // After 1, 2, 4 resets and so on, and once for each client that gave up before it was answered.
    const hangs = 3_600 * 2 * 0.01;
    expect(host.probed.get('tcp/10.0.0.1:31000')).toBeLessThan(3_600 / 120 + 1.5 * hangs);
    expect(ejected(host)).toEqual([]);
  });

  describe('where all VIPs are UDP', () => {
    const dns = (agent: number, answer?: (at: number) => Answer) => ({
      ...backend(agent, answer),
      protocol: 'udp' as const,
    });
    const closed = (at: number): Answer => (at > 5_000 && at < 60_000 ? 'refuses' : 1);

    test('a backend whose port is closed is ejected, and comes back', () => {
      const host = world({ rate: 20, backends: [dns(1, closed), dns(2), dns(3)] });
      host.run(20_000);
      expect(ejected(host)).toEqual(['10.0.0.1']);
      const [ejection] = host.ejector.register.ejections.values();
      expect(ejection?.reason).toMatch(/^\d+ connections, only resets or ICMP errors back; connect refused$/);
      host.run(80_000);
      expect(ejected(host)).toEqual([]);
      expect([...host.probed.keys()]).toEqual(['udp/10.0.0.1:31000']);
    });

    test('none is where something on the way refuses in the name of most agents', () => {
      const host = world({ rate: 20, backends: [dns(1, closed), dns(2, closed), dns(3)] });
      host.run(50_000);
      expect(ejected(host)).toEqual([]);
      expect(host.ejector.blind).toEqual({ since: expect.any(Number), failing: 2, answering: 1 });
    });

    test('none is that sends nothing', () => {
      const host = world({ rate: 20, backends: [dns(1, (at) => (at > 5_000 ? 'drops' : 1)), dns(2)] });
      host.run(60_000);
      expect(host.probed.size).toBe(0);
    });
  });

  test('a backend is ejected in a quiet cluster too, where others are probed beside it', () => {
    const host = world(failing('drops', 0.5));
    host.run(120_000);
    expect(ejected(host)).toEqual(['10.0.0.1']);
  });

  test('two backends of an agent that cannot be reached make its others suspects, without any connection to them', () => {
    const idle = { rate: 0, backends: [backend(1), backend(2)] };
    const host = world(failing('drops'), failing('drops'), idle);
    host.run(5_000);
    host.cut.add('10.0.0.1');
    host.run(5_000);
    expect([...host.ejector.register.ejections.keys()]).toContain('tcp/10.0.0.1:31200');
  });

  test('a host that is cut off ejects nothing, says so, and goes on as before once it is back', () => {
    const host = world(failing(1), failing(1), { rate: 0, backends: [backend(5), backend(6)] });
    host.run(5_000);
    for (const { target } of host.all) host.cut.add(target.agent);
    host.run(120_000);
    expect(ejected(host)).toEqual([]);
    expect(host.ejector.blind).toMatchObject({ answering: 0 });
    host.cut.clear();
    host.run(60_000);
    expect(ejected(host)).toEqual([]);
    expect(host.ejector.blind).toBeNull();
    expect(host.ejector.register.ejected['timed out']).toBe(0);
  });

  test('a cut of this host ejects nothing, whenever it begins, and however long and often it is', () => {
    const cuts = fc.array(fc.record({ after: fc.nat(9_000), ms: fc.integer({ min: 1, max: 9_000 }) }), {
      minLength: 1,
      maxLength: 5,
    });
    const limits = fc.constantFrom(0, 5, Number.POSITIVE_INFINITY);
    const rates = fc.array(fc.constantFrom(0, 0.2, 1, 5, 20, 100), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        cuts,
        rates,
        fc.nat(),
        limits,
        fc.boolean(),
        (made, some, seed, tableLimit, isWaitingTold) => {
          const vips = some.map((rate, i) => ({
            rate,
            backends: [backend(1 + i), backend(2 + i), backend(3 + i)],
          }));
          const host = new EjectWorld(vips, randomOf(seed), { stepMs: 50, tableLimit, isWaitingTold });
          for (const { after, ms } of made) {
            host.run(after);
            for (const { target } of host.all) host.cut.add(target.agent);
            host.run(ms);
            host.cut.clear();
          }
          host.run(40_000);
          const { ejected } = host.ejector.register;
          expect(ejected['timed out'] + ejected.refused + ejected.unreachable).toBe(0);
        },
      ),
    );
  });

  // As well where the table of connections cannot be read, and where it is too large to be read as a whole.
  test.each([
    ['a day', 24, {}],
    ['a quarter of a day by counters alone', 6, { tableLimit: 0 }],
    [
      'a quarter of a day by counters and a part of the connections',
      6,
      { tableLimit: 4, isWaitingTold: true },
    ],
  ] as const)(
    '%s of jitter, loss, pauses, slow starts, one-way protocols, idle services and clients that reset ejects only what refuses',
    (_, hours, options) => {
      const random = randomOf(24);
      const jittery = () => (random() < 0.02 ? 200 + random() * 900 : 1 + random() * 40);
      const losing = () => (random() < 0.005 ? 'drops' : 1 + random() * 10);
      // The kernel goes on accepting while a process collects garbage; a very slow host takes its time for that too.
      const pausing = (at: number) => (at % 60_000 < 1_500 ? 400 + random() * 300 : 2);
      // Once an hour another task is there, without a health check: nothing listens at first, and then it is slow.
      const isDown = (at: number) => at % 3_600_000 < 20_000;
      const starting = (at: number): Answer =>
        isDown(at) ? 'refuses' : at % 3_600_000 < 120_000 ? 300 + random() * 650 : 3;
      const starts = backend(5, starting);
      const oneWay = { ...backend(4, () => 1, 0), protocol: 'udp' as const };
      const host = new EjectWorld(
        [
          { rate: 2, resets: 0.5, backends: [backend(1, jittery), backend(2, jittery), backend(3)] },
          { rate: 1, resets: 0.1, backends: [backend(1, pausing), backend(2, pausing), backend(4, pausing)] },
          { rate: 1, backends: [starts, backend(3, jittery), backend(4)] },
          { rate: 1, backends: [backend(2, losing, 0), backend(3, losing, 0)] },
          { rate: 1, backends: [oneWay, { ...oneWay, agent: '10.0.0.5' }] },
          { rate: 0.01, resets: 1, backends: [backend(3), backend(4)] },
        ],
        random,
        options,
      );
      host.run(hours * 3_600_000);
      expect(host.ejected.filter(({ is, at }) => is !== starts || !isDown(at))).toEqual([]);
      expect(host.ejected.length).toBeGreaterThanOrEqual((hours * 5) / 6);
      expect(host.ejector.register.ejections.size).toBe(0);
      expect(host.connections).toBeGreaterThan(hours * 21_000);
    },
  );
});
