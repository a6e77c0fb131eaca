/** Backends that do not answer are facts of a pass, beside what the sources want. */

import { describe, expect, test } from '@jest/globals';
import { VipBackends } from '../../../controller/eject/vip-backends.ts';
import type { Ejection, TargetKey } from '../../../controller/model/ejection.ts';
import { endpointKey } from '../../../controller/model/endpoint.ts';
import type { Service, ServiceKey } from '../../../controller/model/service.ts';
import type { EjectionFacts } from '../../../controller/ports.ts';
import { app, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import { World } from '../../support/world.ts';

const KEY = 'tcp/11.0.0.1:80';
const LABELS = { VIP_0: '11.0.0.1:80' };
const [A, B, C, D] = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', '10.0.0.4:80'] as const;

class Facts implements EjectionFacts {
  readonly ejections = new Map<TargetKey, Ejection>();
  /** What the sources want. */
  services: () => ReadonlyMap<ServiceKey, Service> = () => new Map();
  #changed = new Set<TargetKey>();

  set(backend: string, isDead = true): void {
    const key = `tcp/${backend}`;
    const [address = ''] = backend.split(':');
    const task =
      [...this.services().values()].flatMap((one) => one.backends.get(backend)?.task ?? [])[0] ?? '';
    const target = { key, protocol: 'tcp', address, port: 80, agent: address, task } as const;
    const of = { since: 5, cause: 'timed out', reason: '7 connections, no reply', nextProbe: 4_000 } as const;
    if (isDead) this.ejections.set(key, { target, ...of });
    else this.ejections.delete(key);
    this.#changed.add(key);
  }

  takeChanged(): ReadonlySet<TargetKey> {
    const backends = new VipBackends(this.services, () => new Set());
    for (const { target } of this.ejections.values())
      if (backends.vipOf({ service: KEY, target }) === null) this.set(endpointKey(target), false);
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }
}

function started(ejections: Facts, apps = snapshot(web('/web', LABELS, A, B, C, D)), brake = false) {
  const world = new World();
  const controller = world.start({ ejections, ...(brake && { brake: { share: 0.5, holdMs: 60_000 } }) });
  ejections.services = () => controller.reconciler.services;
  return { world, controller, apps };
}

describe('a backend that does not answer', () => {
  test('gets weight 0 and the reason, comes back with its own weight, and the kernel is as desired meanwhile', async () => {
    const facts = new Facts();
    const { world, controller, apps } = started(facts);
    await controller.resync(apps);
    facts.set(B);
    const pass = await controller.change(apps);
    expect(world.backends(KEY)).toEqual([`${A} w1`, `${B} w0`, `${C} w1`, `${D} w1`]);
    expect(pass.shortfall).toEqual([]);
    expect(pass.desired.services.get(KEY)?.backends.get(B)?.reason).toBe('ejected: 7 connections, no reply');
    const decided = pass.decisions?.get(KEY)?.get(B);
    expect(decided).toMatchObject({ rule: 'ejected', since: 5, endsAt: 4_000 });
    facts.set(B, false);
    await controller.change(apps);
    expect(world.backends(KEY)).toEqual([`${A} w1`, `${B} w1`, `${C} w1`, `${D} w1`]);
  });

  test('stays in the rotation where more than half of its VIP would leave', async () => {
    const facts = new Facts();
    const { world, controller, apps } = started(facts);
    await controller.resync(apps);
    for (const backend of [A, B, C, D]) facts.set(backend);
    await controller.change(apps);
    expect(world.backends(KEY).filter((text) => text.endsWith('w0'))).toHaveLength(2);
  });

  test('comes back into rotation where the sources leave none beside it', async () => {
    const facts = new Facts();
    const { world, controller, apps } = started(facts, snapshot(web('/web', LABELS, A, B)));
    await controller.resync(apps);
    facts.set(A);
    await controller.change(apps);
    expect(world.backends(KEY)).toEqual([`${A} w0`, `${B} w1`]);
    await controller.change(snapshot(web('/web', LABELS, A)));
    expect(world.backends(KEY)).toEqual([`${A} w1`]);
  });

  test('is no removal by a source, so that the brake holds none of it', async () => {
    const facts = new Facts();
    const many = Array.from({ length: 30 }, (_, i) =>
      web(`/${i}`, { VIP_0: `11.0.1.${i}:80` }, `10.0.${i}.1:80`, `10.0.${i}.2:80`),
    );
    const { world, controller, apps } = started(facts, snapshot(...many), true);
    await controller.resync(apps);
    for (let i = 0; i < 30; i += 1) facts.set(`10.0.${i}.1:80`);
    // Beside a loss of which no source says a word and that is held.
    const pass = await controller.change(snapshot(...many.slice(0, 10)));
    const weights = (i: number) => world.backends(`tcp/11.0.1.${i}:80`).map((text) => text.slice(-2));
    for (let i = 0; i < 10; i += 1) expect(weights(i)).toEqual(['w0', 'w1']);
    for (let i = 10; i < 30; i += 1) expect(weights(i)).toEqual(['w1', 'w1']);
    expect(pass.held).toMatchObject({ vips: 20, backends: 40 });
  });

  test.each(['/web', '/other'])(
    'ends to be ejected in the pass that brings another task of %s to its address',
    async (id) => {
      const facts = new Facts();
      const { world, controller, apps } = started(facts);
      await controller.resync(apps);
      facts.set(B);
      await controller.change(apps);
      const declared = port(LABELS);
      const tasks = [A, B, C, D].map((where, i) => task(`again.${i}`, [taskPort(declared, where)]));
      await controller.change(snapshot(app(id, { ports: [declared], tasks })));
      expect(world.backends(KEY)).toEqual([`${A} w1`, `${B} w1`, `${C} w1`, `${D} w1`]);
    },
  );

  test('stays where its app asks for that', async () => {
    const facts = new Facts();
    const { world, controller, apps } = started(
      facts,
      snapshot(web('/web', { ...LABELS, IPVS_EJECT: 'false' }, A, B)),
    );
    await controller.resync(apps);
    facts.set(A);
    await controller.change(apps);
    expect(world.backends(KEY)).toEqual([`${A} w1`, `${B} w1`]);
  });
});
