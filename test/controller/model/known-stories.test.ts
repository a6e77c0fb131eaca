/** Stories that random search found, each with what was wrong then. */

import { test } from '@jest/globals';
import { playInMemory } from '../../support/model/story.ts';

const UNCHECKED = { health: 'unchecked' } as const;

test('a pass that ends a hold takes over at once what the held name kept from an IP VIP', async () => {
  // The definition changes from names to the address of one of them; what it was before counted for one pass too long.
  const before = {
    id: '/b',
    source: 'marathon',
    mode: 'host',
    protocols: ['tcp'],
    vips: ['/api.v1:80', '/web:80'],
    options: {},
    tasks: [2, 1].map((place) => ({ place, state: 'running', ...UNCHECKED }) as const),
  } as const;
  const after = {
    ...before,
    mode: 'six',
    vips: ['192.168.7.7:80', '11.0.0.3:80'],
    tasks: [{ place: 1, state: 'running', ...UNCHECKED }],
  } as const;
  await playInMemory({
    adopt: false,
    events: [
      { what: 'deploy', app: before },
      { what: 'pass', full: false, read: 'whole', mishap: {} },
      { what: 'deploy', app: after },
      { what: 'pass', full: false, read: 'whole', mishap: {} },
    ],
  });
});

test('a table that was read beside passes does not count where a pass has read the whole since', async () => {
  // Otherwise a name was announced for a service whose backends another program had taken away.
  const tasks = (place: number) => [{ place, state: 'running', ...UNCHECKED } as const];
  const app = {
    id: '/a',
    source: 'metronome',
    mode: 'host',
    protocols: ['tcp'],
    vips: ['/web:80'],
    options: {},
    tasks: tasks(2),
  } as const;
  await playInMemory({
    adopt: false,
    events: [
      { what: 'deploy', app },
      { what: 'pass', full: false, read: 'whole', mishap: {} },
      { what: 'tasks', pick: 0, tasks: tasks(1) },
      { what: 'pass', full: false, read: 'whole', mishap: { trouble: 'lost' } },
      { what: 'read beside', mishap: {} },
      { what: 'meddle', how: { kind: 'remove backend' }, pick: 0, weight: 0 },
      { what: 'meddle', how: { kind: 'remove backend' }, pick: 0, weight: 0 },
      { what: 'pass', full: false, read: 'whole', mishap: {} },
      { what: 'pass', full: true, read: 'whole', mishap: {} },
    ],
  });
});

test('what a process has seen missing is not its own when another program makes it, though the ledger could not be saved', async () => {
  // The story's own rules took it for the controller's, since the ledger on disk still named it.
  const app = {
    id: '/a',
    source: 'marathon',
    mode: 'host',
    protocols: ['udp'],
    vips: ['192.168.7.7:80'],
    options: {},
    tasks: [{ place: 1, state: 'running', ...UNCHECKED }],
  } as const;
  const pass = { what: 'pass', full: false, read: 'whole' } as const;
  await playInMemory({
    adopt: false,
    events: [
      { what: 'deploy', app },
      { ...pass, mishap: {} },
      { what: 'relabel', pick: 0, vip: '/web:80' },
      { ...pass, mishap: { trouble: 'lost' } },
      { ...pass, mishap: { dieAt: 1 } },
      { ...pass, mishap: { ledgerFull: true } },
      {
        what: 'meddle',
        how: { kind: 'own', service: { protocol: 'udp', address: '192.168.7.7', port: 80 } },
        pick: 0,
        weight: 0,
      },
      { ...pass, read: 'empty lists', mishap: {} },
      { what: 'wait', seconds: 61 },
    ],
  });
});

test('a drain that no ledger has noted yet counts anew, for as long as the app asks for by then', async () => {
  // The story's own rules held the controller to the deadline of a pass that had come to nothing.
  const app = {
    id: '/b',
    source: 'metronome',
    mode: 'six',
    protocols: ['tcp'],
    vips: ['/web:80'],
    options: {},
    tasks: [{ place: 2, state: 'running', ...UNCHECKED }],
  } as const;
  const pass = { what: 'pass', full: false, read: 'whole' } as const;
  await playInMemory({
    adopt: false,
    events: [
      { what: 'deploy', app },
      { ...pass, mishap: {} },
      { what: 'connect', pick: 0, connections: 3 },
      { what: 'unreachable', pick: 0 },
      { ...pass, mishap: { ledgerFull: true } },
      { what: 'deploy', app: { ...app, vips: ['/my_db:53'], options: { IPVS_DRAIN_SECONDS: '0' } } },
      { ...pass, mishap: {} },
    ],
  });
});

test('the deadline of a task that was gone does not come back with the task', async () => {
  // The story's own rules kept the deadline, which the ledger had dropped before the process died.
  const task = (place: number, state: 'running' | 'unreachable' | 'killing') => ({
    place,
    state,
    ...UNCHECKED,
  });
  const app = {
    id: '/a',
    source: 'marathon',
    mode: 'host',
    protocols: ['tcp'],
    vips: ['/web:80'],
    options: {},
    tasks: [task(3, 'running')],
  } as const;
  const pass = { what: 'pass', full: false, read: 'whole' } as const;
  const drained = { ...app, vips: ['11.0.0.3:80'], options: { IPVS_DRAIN_SECONDS: '30' } };
  await playInMemory({
    adopt: false,
    events: [
      { what: 'deploy', app },
      { ...pass, mishap: {} },
      { what: 'connect', pick: 0, connections: 3 },
      { what: 'unreachable', pick: 0 },
      { ...pass, mishap: {} },
      { what: 'tasks', pick: 0, tasks: [{ place: 1, state: 'running', health: 'unhealthy' }] },
      { ...pass, mishap: { dieAt: 2 } },
      { what: 'deploy', app: { ...drained, tasks: [task(3, 'killing')] } },
      { ...pass, mishap: {} },
    ],
  });
});

test('the deadline of a backend that was wanted again does not count when it leaves once more', async () => {
  // The story's own rules kept it where the process died after it had taken the drain out of the ledger.
  const app = {
    id: '/a',
    source: 'marathon',
    mode: 'six',
    protocols: ['tcp'],
    vips: ['/web:80'],
    options: {},
    tasks: [{ place: 1, state: 'running', ...UNCHECKED }],
  } as const;
  const pass = { what: 'pass', full: false, read: 'whole' } as const;
  const other = { ...app, protocols: ['udp'], options: { IPVS_DRAIN_SECONDS: '30' } } as const;
  await playInMemory({
    adopt: false,
    events: [
      { what: 'deploy', app },
      { ...pass, mishap: {} },
      { what: 'connect', pick: 0, connections: 3 },
      { what: 'relabel', pick: 0, vip: '/api.v1:80' },
      { ...pass, mishap: {} },
      { what: 'deploy', app },
      { ...pass, mishap: { dieAt: 3 } },
      { what: 'deploy', app: other },
      { ...pass, mishap: {} },
    ],
  });
});

test('what a process had seen missing is its own again after its death, as the ledger says', async () => {
  const app = {
    id: '/a',
    source: 'marathon',
    mode: 'host',
    protocols: ['tcp'],
    vips: ['/web:80'],
    options: {},
    tasks: [{ place: 1, state: 'unreachable', ...UNCHECKED }],
  } as const;
  const pass = { what: 'pass', full: false, read: 'whole' } as const;
  const service = { protocol: 'tcp', address: '11.0.0.1', port: 80 } as const;
  await playInMemory({
    adopt: false,
    events: [
      { what: 'deploy', app: { ...app, tasks: [{ place: 1, state: 'running', ...UNCHECKED }] } },
      { ...pass, mishap: { dieAt: 3 } },
      { ...pass, mishap: { dieAt: 1 } },
      { what: 'meddle', how: { kind: 'own', service }, pick: 0, weight: 0 },
      { what: 'deploy', app },
      { ...pass, mishap: {} },
    ],
  });
});
