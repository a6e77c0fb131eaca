import { expect, test } from '@jest/globals';
import { createLiving } from '../../../controller/desired/living.ts';
import { app, port, snapshot, task, taskPort, web } from '../../support/builders.ts';

const declared = port({ VIP_0: '/a:80', IPVS_DRAIN_SECONDS: '20' });
const state = (id: string, where: string, what: 'unreachable' | 'killing' | 'gone') =>
  app(id, { ports: [declared], tasks: [task(`${id}.1`, [taskPort(declared, where)], { state: what })] });

test('an endpoint lives on while its source has a task there that is not gone, for as long as its app says', () => {
  const drainSeconds = createLiving()(
    snapshot(
      web('/run', { VIP_0: '/run:80' }, '10.0.0.1:1'),
      state('/far', '10.0.0.2:2', 'unreachable'),
      state('/end', '10.0.0.3:3', 'gone'),
    ),
  );
  expect(drainSeconds('10.0.0.1:1')).toBe(300);
  expect(drainSeconds('10.0.0.2:2')).toBe(20);
  expect(drainSeconds('10.0.0.3:3')).toBeNull();
  expect(drainSeconds('10.0.0.4:4')).toBeNull();
});

test('of two apps that have tasks at one endpoint the more patient decides', () => {
  const two = snapshot(state('/a', '10.0.0.1:1', 'killing'), web('/b', { VIP_0: '/b:80' }, '10.0.0.1:1'));
  expect(createLiving()(two)('10.0.0.1:1')).toBe(300);
});

test('the answer is the same however much is asked, and follows the snapshot', () => {
  const living = createLiving();
  const many = snapshot(
    ...Array.from({ length: 50 }, (_, index) =>
      web(`/app-${index}`, { VIP_0: `/a${index}:80` }, `10.0.1.${index}:1`),
    ),
  );
  const drainSeconds = living(many);
  for (let index = 0; index < 50; index += 1) expect(drainSeconds(`10.0.1.${index}:1`)).toBe(300);
  expect(living(snapshot())('10.0.1.1:1')).toBeNull();
});
