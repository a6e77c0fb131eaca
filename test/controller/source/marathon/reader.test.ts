import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LastGood } from '../../../../controller/source/last-good.ts';
import type { MarathonClient } from '../../../../controller/source/marathon/client.ts';
import { appPath } from '../../../../controller/source/marathon/paths.ts';
import { MarathonReader } from '../../../../controller/source/marathon/reader.ts';
import { FakeClock, settled } from '../../../support/fake-clock.ts';
import { namesOf } from '../support.ts';
import { app } from './source-setup.ts';
import '../../../properties.ts';

const IDS = ['/a', '/b'];
const LIST = 'list';

/** A Marathon whose answers say what was so when they were asked for, and come when a test lets them. */
class SlowMarathon {
  /** How often each app changed; null: it is gone. */
  readonly apps = new Map<string, number | null>(IDS.map((id) => [id, 0]));
  readonly held: (() => void)[] = [];

  readonly client = {
    name: 'marathon',
    get: async (path: string, _signal: AbortSignal, parse?: (body: Buffer) => unknown) => {
      if (path.startsWith('/v2/pods')) return parse === undefined ? null : parse(Buffer.from('[]'));
      const answer = this.#answer(path);
      await new Promise<void>((resolve) => this.held.push(resolve));
      return parse === undefined || answer === null ? answer : parse(Buffer.from(JSON.stringify(answer)));
    },
  } as unknown as MarathonClient;

  #answer(path: string): unknown {
    const there = [...this.apps].flatMap(([id, changes]) =>
      changes === null ? [] : [{ id, ...app(`web${changes}:80`) }],
    );
    if (path.startsWith('/v2/apps?')) return { apps: there };
    const found = there.find(({ id }) => path === appPath(id));
    return found === undefined ? null : { app: found };
  }
}

const step = fc.oneof(
  fc.record({ what: fc.constant('change' as const), id: fc.constantFrom(...IDS), gone: fc.boolean() }),
  fc.record({ what: fc.constant('read' as const), of: fc.constantFrom(LIST, ...IDS) }),
  fc.record({ what: fc.constant('answer' as const), which: fc.nat(9) }),
);

test('of two reads the one that began later counts, whichever is answered first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const marathon = new SlowMarathon();
      const reader = new MarathonReader({
        client: marathon.client,
        clock: new FakeClock(),
        resolver: namesOf(),
        framework: 'marathon',
        inFlight: 4,
        healthHoldMs: 0,
        lastGood: new LastGood('marathon'),
        revisit: () => undefined,
        partFailed: () => undefined,
      });
      const never = new AbortController().signal;
      const reading: Promise<unknown>[] = [];
      /** What each app was like when the last read of it began. */
      const expected = new Map<string, number | null>();
      const read = async (of: string) => {
        for (const id of of === LIST ? IDS : [of]) expected.set(id, marathon.apps.get(id) ?? null);
        reading.push(of === LIST ? reader.readAll(0, never) : reader.readOne(of, 0, never));
        await settled();
      };
      const answer = async (which: number) => {
        marathon.held.splice(which % (marathon.held.length || 1), 1)[0]?.();
        await settled();
      };
      await read(LIST);
      await answer(0);
      for (const each of steps) {
        if (each.what === 'change')
          marathon.apps.set(each.id, each.gone ? null : (marathon.apps.get(each.id) ?? 0) + 1);
        else if (each.what === 'read') await read(each.of);
        else await answer(each.which);
      }
      while (marathon.held.length > 0) await answer(steps.length);
      await Promise.all(reading);
      const labels = reader.feed.snapshot.apps.map(({ id, ports }) => [id, ports[0]?.labels['VIP_0']]);
      const wanted = [...expected].filter(([, changes]) => changes !== null);
      expect(new Map(labels as never)).toEqual(
        new Map(wanted.map(([id, changes]) => [id, `web${changes}:80`])),
      );
    }),
  );
});
