import { expect, test } from '@jest/globals';
import { createOccupants, type OccupantStanding } from '../../../controller/desired/occupants.ts';
import type { Task } from '../../../controller/model.ts';
import { app, port, snapshot, task, taskPort, web } from '../../support/builders.ts';

const declared = port({ VIP_0: '/a:80', IPVS_DRAIN_SECONDS: '20' });
const one = (id: string, where: string, what: Partial<Task>) =>
  app(id, { ports: [declared], tasks: [task(`${id}.1`, [taskPort(declared, where)], what)] });

test('connections to an endpoint may live on while a task is there that is not gone, for as long as its app says', () => {
  const at = createOccupants()(
    snapshot(
      web('/run', { VIP_0: '/run:80' }, '10.0.0.1:1'),
      one('/far', '10.0.0.2:2', { state: 'unreachable' }),
      one('/end', '10.0.0.3:3', { state: 'gone' }),
    ),
  );
  expect(at('10.0.0.1:1')).toEqual({ drainSeconds: 300, standing: 'serving' });
  expect(at('10.0.0.2:2')).toEqual({ drainSeconds: 20, standing: 'unreachable' });
  expect(at('10.0.0.3:3')).toEqual({ drainSeconds: null, standing: 'ended' });
  expect(at('10.0.0.4:4')).toBeNull();
});

test.each<[Partial<Task>, OccupantStanding]>([
  [{}, 'serving'],
  [{ health: 'healthy' }, 'serving'],
  [{ health: 'unhealthy' }, 'unhealthy'],
  [{ health: 'unknown' }, 'health lost'],
  [{ state: 'killing', health: 'unknown' }, 'ended'],
  [{ state: 'gone' }, 'ended'],
  [{ state: 'unreachable', health: 'healthy' }, 'unreachable'],
  [{ state: 'staging' }, 'staging'],
])('a task that is told of as %o stands as %s', (what, standing) => {
  expect(createOccupants()(snapshot(one('/a', '10.0.0.1:1', what)))('10.0.0.1:1')?.standing).toBe(standing);
});

test('of two apps that have tasks at one endpoint the longer drain wins, and one that serves is enough', () => {
  const two = snapshot(
    one('/a', '10.0.0.1:1', { state: 'killing' }),
    one('/b', '10.0.0.1:1', { state: 'gone' }),
    web('/c', { VIP_0: '/c:80' }, '10.0.0.1:1'),
    one('/d', '10.0.0.1:1', { health: 'unknown' }),
  );
  expect(createOccupants()(two)('10.0.0.1:1')).toEqual({ drainSeconds: 300, standing: 'serving' });
});

test('the answer is the same however much is asked, and follows the snapshot', () => {
  const occupants = createOccupants();
  const many = snapshot(
    ...Array.from({ length: 50 }, (_, index) =>
      web(`/app-${index}`, { VIP_0: `/a${index}:80` }, `10.0.1.${index}:1`),
    ),
  );
  const at = occupants(many);
  for (let index = 0; index < 50; index += 1) expect(at(`10.0.1.${index}:1`)?.drainSeconds).toBe(300);
  expect(occupants(snapshot())('10.0.1.1:1')).toBeNull();
});
