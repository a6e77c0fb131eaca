/** Stories that random search found, each with what was wrong then: at first the controller, then the model's own rules. */

import { describe, test } from '@jest/globals';
import type { AppSpec, TaskSpec } from '../../support/model/cluster.ts';
import type { StoryEvent } from '../../support/model/events.ts';
import type { Mishap } from '../../support/model/machine.ts';
import { playInMemory } from '../../support/model/story.ts';

const APP: AppSpec = {
  id: '/a',
  source: 'marathon',
  mode: 'host',
  protocols: ['tcp'],
  vips: ['/web:80'],
  options: {},
  tasks: [task(1)],
};

function task(place: number, state: TaskSpec['state'] = 'running'): TaskSpec {
  return { place, state, health: 'unchecked' };
}

const deploy = (changes: Partial<AppSpec> = {}): StoryEvent => ({
  what: 'deploy',
  app: { ...APP, ...changes },
});
const tasks = (...all: readonly TaskSpec[]): StoryEvent => ({ what: 'tasks', pick: 0, tasks: all });
const relabel = (vip: string): StoryEvent => ({ what: 'relabel', pick: 0, vip });
const pass = (mishap: Mishap = {}): StoryEvent => ({ what: 'pass', full: false, read: 'whole', mishap });
const fullPass: StoryEvent = { what: 'pass', full: true, read: 'whole', mishap: {} };
const connect: StoryEvent = { what: 'connect', pick: 0, connections: 3 };
const unreachable: StoryEvent = { what: 'unreachable', pick: 0 };
const removeBackend: StoryEvent = { what: 'meddle', how: { kind: 'remove backend' }, pick: 0, weight: 0 };
const madeByOthers = (protocol: 'tcp' | 'udp', address: string): StoryEvent & { what: 'meddle' } => ({
  what: 'meddle',
  how: { kind: 'own', service: { protocol, address, port: 80 } },
  pick: 0,
  weight: 0,
});

async function play(...events: readonly StoryEvent[]): Promise<void> {
  await playInMemory({ adopt: false, events });
}

describe('the controller was wrong', () => {
  test('a pass that ends a hold takes over at once what the held name kept from an IP VIP', async () => {
    // The definition changes from names to the address of one of them; what it was before counted for one pass too long.
    const id = '/b';
    await play(
      deploy({ id, vips: ['/api.v1:80', '/web:80'], tasks: [task(2), task(1)] }),
      pass(),
      deploy({ id, mode: 'six', vips: ['192.168.7.7:80', '11.0.0.3:80'] }),
      pass(),
    );
  });

  test('a table that was read in the background does not count where a pass has read the whole since', async () => {
    // Otherwise a name was announced for a service whose backends another program had taken away.
    await play(
      deploy({ source: 'metronome', tasks: [task(2)] }),
      pass(),
      tasks(task(1)),
      pass({ trouble: 'lost' }),
      { what: 'read beside', mishap: {} },
      removeBackend,
      removeBackend,
      pass(),
      fullPass,
    );
  });
});

describe("the story's own rules were wrong", () => {
  test('what a process has seen missing is not its own when another program makes it, though the ledger could not be saved', async () => {
    await play(
      deploy({ protocols: ['udp'], vips: ['192.168.7.7:80'] }),
      pass(),
      relabel('/web:80'),
      pass({ trouble: 'lost' }),
      pass({ dieAt: 1 }),
      pass({ ledgerFull: true }),
      madeByOthers('udp', '192.168.7.7'),
      { what: 'pass', full: false, read: 'empty lists', mishap: {} },
      { what: 'wait', seconds: 61 },
    );
  });

  test('it is its own again after its death, as the ledger says', async () => {
    await play(
      deploy(),
      pass({ dieAt: 3 }),
      pass({ dieAt: 1 }),
      madeByOthers('tcp', '11.0.0.1'),
      deploy({ tasks: [task(1, 'unreachable')] }),
      pass(),
    );
  });

  test('a drain that no ledger has noted goes on, and ends early when the app asks for a shorter one', async () => {
    const app = { source: 'metronome', mode: 'six' } as const;
    await play(
      deploy(app),
      pass(),
      connect,
      unreachable,
      pass({ ledgerFull: true }),
      deploy({ ...app, vips: ['/my_db:53'], options: { IPVS_DRAIN_SECONDS: '0' } }),
      pass(),
    );
  });

  test('the deadline of a task that was gone does not come back with the task', async () => {
    const options = { IPVS_DRAIN_SECONDS: '30' };
    await play(
      deploy({ tasks: [task(3)] }),
      pass(),
      connect,
      unreachable,
      pass(),
      tasks({ place: 1, state: 'running', health: 'unhealthy' }),
      pass({ dieAt: 2 }),
      deploy({ vips: ['11.0.0.3:80'], options, tasks: [task(3, 'killing')] }),
      pass(),
    );
  });

  test('the deadline of a backend that was wanted again does not count when it leaves once more', async () => {
    const app = { mode: 'six' } as const;
    await play(
      deploy(app),
      pass(),
      connect,
      relabel('/api.v1:80'),
      pass(),
      deploy(app),
      pass({ dieAt: 3 }),
      deploy({ ...app, protocols: ['udp'], options: { IPVS_DRAIN_SECONDS: '30' } }),
      pass(),
    );
  });

  test('a backend without connections has no deadline that those which come later could count on', async () => {
    // It stays that long only because a step on its service failed before, and is not tried again at once.
    await play(
      deploy({ mode: 'six', tasks: [task(4)] }),
      pass({ trouble: 'lost' }),
      relabel('/api.v1:80'),
      pass(),
      { what: 'stop' },
      connect,
      unreachable,
      deploy({
        mode: 'container',
        options: { IPVS_DRAIN_SECONDS: '30' },
        tasks: [{ place: 4, state: 'unreachable', health: 'unhealthy' }],
      }),
    );
  });

  test('VIPs at rest may all go at once, though another program gave them a weight since they were read', async () => {
    await play(
      pass({ refuseAt: 1 }),
      { what: 'wait', seconds: 5 },
      deploy({ mode: 'container', tasks: [{ ...task(1), health: 'unhealthy' }] }),
      pass(),
      { what: 'silence', mishap: { trouble: 'interrupted' } },
      { ...madeByOthers('tcp', 'fd01:c::6'), weight: 1 },
      { what: 'meddle', how: { kind: 'weight' }, pick: 0, weight: 7 },
      { what: 'pass', full: false, read: 'empty lists', mishap: {} },
    );
  });
});
