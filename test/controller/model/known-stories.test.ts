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
