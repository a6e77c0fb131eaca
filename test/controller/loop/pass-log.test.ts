import { expect, test } from '@jest/globals';
import { createPassLog } from '../../../controller/loop/pass-log.ts';
import type { Log } from '../../../controller/ports.ts';
import { snapshot, web } from '../../support/builders.ts';
import { World } from '../../support/world.ts';

test('a large removal that is not held is logged once, with who named it', async () => {
  const lines: string[] = [];
  const ignore = () => undefined;
  const warn = (message: string, fields?: object) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log: Log = { debug: ignore, info: ignore, warn, error: ignore };
  const tell = createPassLog(log);
  const controller = new World().start();
  const two = ['/a', '/b'].map((id, i) => web(id, { VIP_0: `${id}:80` }, `10.0.0.${i + 1}:31000`));
  tell(await controller.resync(snapshot(...two)));
  const gone = await controller.change(snapshot(), '10.0.0.1:31000', '10.0.0.2:31000');
  // As where its writes fail: the same is planned again.
  tell(gone);
  tell(gone);
  tell(await controller.resync(snapshot()));
  expect(lines).toEqual([
    'large removal not held {"why":"2 of 2 VIPs and 2 of 2 backends left the rotation: 2 named by one"}',
  ]);
});

test('a newcomer that grows is told when it comes and when it has its full weight, not at each step', async () => {
  const lines: string[] = [];
  const ignore = () => undefined;
  const info = (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
    lines.push([message, fields['rule'], fields['steps']].filter((word) => word !== undefined).join(' '));
  };
  const tell = createPassLog({ debug: ignore, info, warn: ignore, error: ignore });
  const world = new World();
  world.now = 1_000_000;
  const controller = world.start();
  const [labels, old, fresh] = [
    { VIP_0: '11.0.0.1:80', IPVS_SLOW_START_SECONDS: '9' },
    '10.0.0.1:80',
    '10.0.0.2:80',
  ];
  const apps = (...endpoints: readonly string[]) => snapshot(web('/web', labels, ...endpoints));
  tell(await controller.resync(apps(old)));
  tell(await controller.change(apps(old, fresh)));
  lines.length = 0;
  for (let seconds = 1; seconds <= 8; seconds += 1) {
    world.now += 1_000;
    tell(await controller.change(apps(old, fresh)));
  }
  expect(world.backends('tcp/11.0.0.1:80')).toEqual([`${old} w100`, `${fresh} w90`]);
  expect(lines).toEqual([]);
  world.now += 1_000;
  tell(await controller.change(apps(old, fresh)));
  expect(lines).toEqual(['rule no longer overrides the sources slow start', 'pass 1']);
});
