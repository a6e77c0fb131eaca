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
