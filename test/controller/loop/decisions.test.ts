/** Why a backend is not, or not yet, as the sources say: the rule, since when, and what ends it. */

import { expect, test } from '@jest/globals';
import { createPassLog } from '../../../controller/loop/pass-log.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import type { Decision } from '../../../controller/plan/decision.ts';
import { VipRecorder } from '../../../controller/status/vip-records.ts';
import { withoutPause } from '../../../controller/time.ts';
import { snapshot, web } from '../../support/builders.ts';
import { World } from '../../support/world.ts';

const LABELS = { VIP_0: '1.2.3.4:80' };
const KEY = 'tcp/1.2.3.4:80';
const OLD = '10.0.0.1:31000';
const NEW = '10.0.0.2:31000';

function decisionOf({ decisions }: PassStatus, backend: string | null, key = KEY): Decision | undefined {
  return decisions?.get(key)?.get(backend);
}

test('the brake: since it holds, until the sources are read again', async () => {
  const world = new World();
  const controller = world.start();
  const two = ['1.2.3.4:80', '1.2.3.5:80'].map((vip, i) =>
    web(`/${i}`, { VIP_0: vip }, `10.0.0.${i + 1}:31000`),
  );
  await controller.resync(snapshot(...two));
  const first = await controller.resync(snapshot());
  const mass = {
    rule: 'mass removal',
    since: first.startedAt,
    reason: 'its task is missing from the source',
    endsAt: first.startedAt + 60_000,
    endsWhen: 'a source names it, or the sources, read again, say the same',
  };
  expect(decisionOf(first, OLD)).toEqual(mass);
  world.now += 20_000;
  expect(decisionOf(await controller.resync(snapshot()), OLD)).toEqual(mass);
  expect(decisionOf(await controller.resync(snapshot(...two)), OLD)).toBeUndefined();
});

test('what a write waits for, and the last backend in rotation where its replacement cannot be added', async () => {
  const world = new World();
  const controller = world.start();
  const recorder = new VipRecorder();
  const decided = (pass: PassStatus, backend: string) => {
    recorder.start(pass)(withoutPause);
    return recorder.records.get(KEY)?.backends.get(backend)?.decision ?? null;
  };
  decided(await controller.resync(snapshot(web('/web', LABELS, OLD))), OLD);
  world.refuse = ({ op }) => (op === 'add-backend' ? 'ENOMEM' : null);
  const refused = await controller.change(snapshot(web('/web', LABELS, NEW)));
  expect(decided(refused, OLD)).toEqual({
    rule: 'last in rotation',
    since: refused.finishedAt,
    endsWhen: 'a backend that replaces it is in rotation',
    endsAt: null,
  });
  const postponed = decided(refused, NEW);
  expect(postponed).toMatchObject({ rule: 'postponed', endsWhen: 'its write succeeds; it is retried' });
  expect(postponed?.endsAt).toBeGreaterThan(refused.startedAt);

  world.now += 10;
  const later = await controller.change(snapshot(web('/web', LABELS, NEW)));
  expect(decided(later, OLD)).toMatchObject({ rule: 'last in rotation', since: refused.finishedAt });
  expect(decided(later, NEW)).toEqual(postponed);

  world.refuse = () => null;
  world.now += 60_000;
  expect(decided(await controller.change(snapshot(web('/web', LABELS, NEW))), NEW)).toBeNull();
  expect(world.backends(KEY)).toEqual([`${NEW} w1`]);
});

test('each held backend has its own time', async () => {
  const world = new World();
  const controller = world.start();
  const apps = Array.from({ length: 13 }, (_, i) =>
    web(`/${i}`, { VIP_0: `1.2.3.${i + 4}:80` }, `10.0.0.${i + 1}:31000`),
  );
  await controller.resync(snapshot(...apps));
  const first = await controller.resync(snapshot(...apps.slice(12)));
  world.now += 20_000;
  const second = await controller.resync(snapshot());
  expect(decisionOf(second, OLD)?.endsAt).toBe(first.startedAt + 60_000);
  expect(decisionOf(second, '10.0.0.13:31000', 'tcp/1.2.3.16:80')?.endsAt).toBe(second.startedAt + 60_000);
});

test('a service that the kernel refuses is postponed itself, and its backends wait for it', async () => {
  const world = new World();
  const controller = world.start();
  world.refuse = ({ op }) => (op === 'add-service' ? 'ENOMEM' : null);
  const apps = snapshot(web('/web', LABELS, OLD));
  const pass = await controller.resync(apps);
  const own = { rule: 'postponed', endsWhen: 'its write succeeds; it is retried' };
  expect(decisionOf(pass, null)).toMatchObject(own);
  expect(decisionOf(pass, OLD)).toMatchObject({
    rule: 'postponed',
    endsWhen: 'its service, which could not be added, is in the kernel; it is retried',
  });
  world.now += 10;
  const later = await controller.change(apps);
  expect(decisionOf(later, null)).toEqual(decisionOf(pass, null));
  const recorder = new VipRecorder();
  recorder.start(later)(withoutPause);
  expect(recorder.records.get(KEY)?.decision).toMatchObject(own);

  world.refuse = () => null;
  world.now += 60_000;
  expect(decisionOf(await controller.change(apps), null)).toBeUndefined();
});

test('the log says once that a mass removal is held, and once why it is no more', async () => {
  const world = new World();
  const controller = world.start();
  const tell = createPassLog(world.log);
  const two = ['1.2.3.4:80', '1.2.3.5:80'].map((vip, i) =>
    web(`/${i}`, { VIP_0: vip }, `10.0.0.${i + 1}:31000`),
  );
  const held = () =>
    world.logged
      .filter(({ message }) => message.includes(' held'))
      .map(({ message, fields }) => `${message}: ${(fields as { why: string }).why}`);
  for (const apps of [two, [], [], two]) tell(await controller.resync(snapshot(...apps)));
  expect(held()).toEqual([
    expect.stringMatching(/^mass removal held: 2 of 2 VIPs/),
    'mass removal no longer held: the sources list all of it again',
  ]);
  tell(await controller.resync(snapshot()));
  tell(await controller.change(snapshot(), OLD, NEW));
  expect(held()).toContain(
    'mass removal no longer held: 2 of 2 VIPs and 2 of 2 backends left the rotation: 2 named by one',
  );
});
