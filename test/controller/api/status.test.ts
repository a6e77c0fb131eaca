import { afterEach, describe, expect, test } from '@jest/globals';
import { doctorDocument } from '../../../controller/doctor/document.ts';
import type { KernelReading } from '../../../controller/model/counters.ts';
import type { KernelCounters } from '../../../controller/ports.ts';
import { statusDocument } from '../../../controller/status/document.ts';
import { desiredOf } from '../../support/observed.ts';
import { DB, passOf, WEB } from '../status/passes.ts';
import { readingOf, traffic } from '../status/status-world.ts';
import { Serving } from './serving.ts';

let serving: Serving;
afterEach(() => serving.close());

const web: KernelReading['services'] = new Map([
  [
    'tcp/11.0.0.1:80',
    {
      traffic,
      backends: new Map([['10.0.0.1:31000', { activeConnections: 9, inactiveConnections: 0, traffic }]]),
    },
  ],
]);

/** Counters that count how often they are read, and of what. */
class FakeCounters implements KernelCounters {
  readonly asked: string[][] = [];
  broken = false;

  async read(services: Iterable<string>): Promise<KernelReading> {
    this.asked.push([...services]);
    if (this.broken) throw new Error('EPERM');
    const reading = readingOf(web);
    if (reading.at === null) throw new Error(reading.error);
    return reading.kernel;
  }

  close(): void {}
}

async function start(counters: FakeCounters) {
  serving = await Serving.start({ counters });
  serving.converge(passOf({ desired: desiredOf(WEB, DB) }));
}

async function status(query = '') {
  const { status: code, body } = await serving.get(`/v1/status${query}`);
  expect(code).toBe(200);
  return statusDocument.parse(JSON.parse(body));
}

describe('GET /v1/status', () => {
  test("has the kernel's current counters, read once a second however many clients there are", async () => {
    const counters = new FakeCounters();
    await start(counters);
    const [first] = await Promise.all([status(), status(), status('?vip=web')]);
    expect(first?.vips.map(({ activeConnections }) => activeConnections)).toEqual([0, 9]);
    expect(counters.asked).toEqual([['tcp/11.0.0.1:80', 'tcp/11.0.0.2:5432']]);
    serving.world.now += 1_000;
    await status();
    expect(counters.asked).toHaveLength(2);
  });

  test('has those of the last pass if the kernel cannot be read, with the reason', async () => {
    const counters = new FakeCounters();
    counters.broken = true;
    await start(counters);
    expect((await status()).kernel).toMatchObject({ readAt: null, error: 'EPERM' });
  });

  test('?vip returns only the matching VIPs', async () => {
    await start(new FakeCounters());
    expect((await status('?vip=web.marathon:80')).vips).toHaveLength(1);
    expect((await status('?vip=nothing')).vips).toEqual([]);
    expect((await status('?vip=nothing')).summary.vips).toBe(2);
  });

  test('answers before the first pass too: not ready, with the reason', async () => {
    serving = await Serving.start();
    const document = await status();
    expect(document).toMatchObject({ ready: false, lastPass: null, vips: [], summary: { vips: 0 } });
    expect(document.checks).toContainEqual({ name: 'kernel', ok: false, message: 'no pass yet' });
  });
});

describe('GET /v1/doctor', () => {
  test('checks the host at most once in ten seconds', async () => {
    let examined = 0;
    const doctor = async () => {
      examined += 1;
      const summary = { ok: examined, warning: 0, problem: 0 };
      return {
        apiVersion: 'marathon-ipvs/v1' as const,
        at: '2026-01-01T00:00:00Z',
        kernel: '6.1',
        namespace: null,
        controller: null,
        summary,
        findings: [],
      };
    };
    serving = await Serving.start({ doctor });
    for (const wait of [0, 9_000, 1_000]) {
      serving.world.now += wait;
      const { body } = await serving.get('/v1/doctor');
      expect(doctorDocument.parse(JSON.parse(body)).summary.ok).toBe(examined);
    }
    expect(examined).toBe(2);
  });
});
