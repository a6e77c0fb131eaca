/** The log has a line where a decision is made, and one where it ends. */

import { beforeEach, expect, test } from '@jest/globals';
import { createDecisionLog } from '../../../controller/loop/decision-log.ts';
import { snapshot, web } from '../../support/builders.ts';
import { World } from '../../support/world.ts';

const LABELS = { VIP_0: '1.2.3.4:80' };
const KEY = 'tcp/1.2.3.4:80';
const [OLD, NEW, NEXT] = ['10.0.0.1:31000', '10.0.0.2:31000', '10.0.0.3:31000'] as const;
const BEGUN = 'rule overrides the sources';
const ENDED = 'rule no longer overrides the sources';

let world: World;
beforeEach(() => {
  world = new World();
});

const linesOf = (wanted: string) =>
  world.logged.filter(({ message }) => message === wanted).map(({ fields }) => fields);

test('one line for a VIP and a rule, however many backends and passes, and one when it ends', async () => {
  const controller = world.start();
  const logDecisions = createDecisionLog(world.log);
  logDecisions(await controller.resync(snapshot(web('/web', LABELS, OLD))));
  expect([...linesOf(BEGUN), ...linesOf(ENDED)]).toEqual([]);

  world.refuse = ({ op }) => (op === 'add-backend' ? 'ENOMEM' : null);
  const wanted = snapshot(web('/web', LABELS, NEW, NEXT));
  for (let passes = 0; passes < 3; passes += 1) logDecisions(await controller.change(wanted));
  expect(linesOf(BEGUN)).toEqual([
    expect.objectContaining({ vip: KEY, rule: 'last in rotation', backends: 1, service: false }),
    expect.objectContaining({ vip: KEY, rule: 'postponed', backends: 2, service: false }),
  ]);
  expect(linesOf(ENDED)).toEqual([]);

  world.refuse = () => null;
  world.now += 60_000;
  logDecisions(await controller.change(wanted));
  expect(linesOf(BEGUN)).toHaveLength(2);
  expect(linesOf(ENDED)).toEqual([
    { vip: KEY, rule: 'last in rotation', seconds: 60 },
    { vip: KEY, rule: 'postponed', seconds: 60 },
  ]);
});

test('it says of a service that it is the service itself, and nothing new of a pass that ended early', async () => {
  const controller = world.start();
  const logDecisions = createDecisionLog(world.log);
  world.refuse = ({ op }) => (op === 'add-service' ? 'ENOMEM' : null);
  const pass = await controller.resync(snapshot(web('/web', LABELS, OLD)));
  logDecisions(pass);
  logDecisions({ ...pass, decisions: new Map(), error: 'the kernel cannot be read' });
  expect(linesOf(BEGUN)).toEqual([
    expect.objectContaining({ vip: KEY, rule: 'postponed', service: true, backends: 1 }),
  ]);
  expect(linesOf(ENDED)).toEqual([]);
});

test('a pass that looked at other VIPs alone does not end a decision', async () => {
  const controller = world.start();
  const logDecisions = createDecisionLog(world.log);
  world.refuse = ({ op }) => (op === 'add-service' ? 'ENOMEM' : null);
  const pass = await controller.resync(snapshot(web('/web', LABELS, OLD)));
  logDecisions(pass);
  logDecisions({ ...pass, decisions: new Map(), plan: { ...pass.plan, keys: new Set() } });
  expect(linesOf(ENDED)).toEqual([]);
  logDecisions({ ...pass, decisions: new Map() });
  expect(linesOf(ENDED)).toHaveLength(1);
});

test('a hundred lines of a pass, and how many more', async () => {
  const controller = world.start();
  const logDecisions = createDecisionLog(world.log);
  const apps = Array.from({ length: 130 }, (_, i) =>
    web(`/${i}`, { VIP_0: `1.2.3.${i + 1}:80` }, `10.0.0.${i + 1}:31000`),
  );
  logDecisions(await controller.resync(snapshot(...apps)));
  logDecisions(await controller.resync(snapshot()));
  const lines = linesOf(BEGUN);
  expect(lines).toHaveLength(101);
  expect(lines[0]).toMatchObject({
    rule: 'mass removal',
    backends: 1,
    why: 'its task is missing from the source',
  });
  expect(lines[100]).toEqual({ more: 30 });
});
