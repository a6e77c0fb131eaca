import { expect, test } from '@jest/globals';
import type { Task } from '../../../controller/model/app.ts';
import { app, nothingRemembered, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import { lines, passes, translate, translator } from './support.ts';

// Rule 9: a VIP may not take over a real address.
const WEB = '11.225.37.143';

test.each(['0.0.0.0:80', '127.0.0.1:80', '224.0.0.1:80', '169.254.0.1:80', '::1:80', 'fe80::1:80'])(
  'the IP VIP %s is refused',
  (text) => {
    const desired = translate(web('/web', { VIP_0: text }, '10.0.0.1:1', '[fd01:b::1]:1'));
    expect(desired.services.size).toBe(0);
    expect(desired.rejected).toMatchObject([
      { app: '/web', value: text, reason: expect.stringContaining('which no VIP can have') },
    ]);
  },
);

test('an address that someone has already is refused for his reason', () => {
  const realAddresses = (address: string) =>
    address === '10.7.7.7' ? 'it is the address of a name server' : null;
  const desired = passes({ realAddresses })(
    web('/web', { VIP_0: '10.7.7.7:80', VIP_1: '10.7.7.8:80' }, '10.0.0.1:1'),
  );
  expect(lines(desired)).toEqual(['tcp/10.7.7.8:80 wlc -> 10.0.0.1:1 w1']);
  expect(desired.rejected).toEqual([
    {
      app: '/web',
      at: 'portDefinitions[0].labels.VIP_0',
      value: '10.7.7.7:80',
      reason: 'it is the address of a name server',
    },
  ]);
});

test('it is asked anew in every pass, also for apps that did not change', () => {
  let taken = false;
  const pass = passes({ realAddresses: () => (taken ? 'this host has it' : null) });
  const same = web('/web', { VIP_0: '10.7.7.7:80' }, '10.0.0.1:1');
  expect(pass(same).services.size).toBe(1);
  taken = true;
  expect(pass(same)).toMatchObject({ services: new Map(), rejected: [{ reason: 'this host has it' }] });
  taken = false;
  expect(pass(same).services.size).toBe(1);
});

test('the address of an agent is refused, whichever app told of the agent', () => {
  const taker = web('/taker', { VIP_0: '10.0.0.1:80' }, '10.0.0.9:1');
  const pass = passes();
  expect(pass(taker).services.size).toBe(1);
  const refused = pass(taker, web('/web', {}, '10.0.0.1:31000'));
  expect(refused.rejected).toMatchObject([{ app: '/taker', reason: 'it is the address of an agent' }]);
  expect(pass(taker).services.size).toBe(1);
});

test('the address that a name has already is refused, and the name stays where it is', () => {
  const pass = passes();
  const named = web('/web', { VIP_0: 'web:80' }, '10.0.0.1:1');
  pass(named);
  const taker = web('/taker', { VIP_0: `${WEB}:80` }, '10.0.0.2:1');
  const refused = pass(taker, named);
  expect(lines(refused)).toEqual([`tcp/${WEB}:80 wlc -> 10.0.0.1:1 w1`]);
  expect(refused.rejected).toMatchObject([
    { app: '/taker', reason: 'it is the address of the named VIP web.marathon' },
  ]);
});

test('a name that is gone does not hold its address against an IP VIP', () => {
  const { memory } = translator()(snapshot(web('/web', { VIP_0: 'web:80' })), nothingRemembered);
  const taker = web('/taker', { VIP_0: `${WEB}:80` }, '10.0.0.2:1');
  const desired = translator()(snapshot(taker), memory);
  expect(lines(desired)).toEqual([`tcp/${WEB}:80 wlc -> 10.0.0.2:1 w1`]);
  expect(desired.memory.addresses.size).toBe(0);
});

test.each<[string, Partial<Task>, string]>([
  [
    'an agent where a task without ports runs',
    { agent: { host: 'agent7', address: '10.0.0.7' } },
    'it is the address of an agent',
  ],
  [
    'an agent whose task has ended',
    { agent: { host: 'agent7', address: '10.0.0.7' }, state: 'gone' },
    'it is the address of an agent',
  ],
  [
    'a container without ports',
    { addresses: ['9.9.9.9', '10.0.0.7'] },
    'it is the address of task db.1, which runs in a container',
  ],
  [
    'a container that is being killed',
    { addresses: ['10.0.0.7'], state: 'killing' },
    'it is the address of task db.1, which runs in a container',
  ],
])('the address of %s is refused as long as a source tells of it', (_, what, reason) => {
  const taker = web('/taker', { VIP_0: '10.0.0.7:80' }, '10.0.0.9:1');
  const pass = passes();
  expect(pass(taker).services.size).toBe(1);
  const refused = pass(taker, app('/db', { tasks: [task('db.1', [], what)] }));
  expect(refused.rejected).toMatchObject([{ app: '/taker', value: '10.0.0.7:80', reason }]);
  expect(refused.services.size).toBe(0);
  expect([...(refused.refused ?? [])]).toEqual([['10.0.0.7', reason]]);
  expect(pass(taker).services.size).toBe(1);
});

test('the address of a container port is refused, and of one behind a host port too', () => {
  const inside = port({}, { backendAddress: 'container', mode: 'container' });
  const behind = { ...taskPort(port({}), '10.0.0.1:31000'), local: [{ address: '172.17.0.2', port: 80 }] };
  const db = app('/db', { tasks: [task('db.1', [taskPort(inside, '[FD01:B:0::7]:80'), behind])] });
  const taker = web('/taker', { VIP_0: 'fd01:b::7:80', VIP_1: '172.17.0.2:80' }, '10.0.0.9:1');
  const reason = 'it is the address of task db.1, which runs in a container';
  expect(passes()(taker, db).rejected).toMatchObject([{ reason }, { reason }]);
});

test('a container that has ended has no address any more', () => {
  const taker = web('/taker', { VIP_0: '10.0.0.7:80' }, '10.0.0.9:1');
  const ended = task('db.1', [], { addresses: ['10.0.0.7'], state: 'gone' });
  expect(passes()(taker, app('/db', { tasks: [ended] })).services.size).toBe(1);
});

test('of several tasks at one address the same one is named, in whatever order they come', () => {
  const at = (id: string) => app(`/${id}`, { tasks: [task(id, [], { addresses: ['10.0.0.7'] })] });
  const taker = web('/taker', { VIP_0: '10.0.0.7:80' }, '10.0.0.9:1');
  const reason = 'it is the address of task a.1, which runs in a container';
  expect(passes()(taker, at('b.1'), at('a.1')).rejected).toMatchObject([{ reason }]);
  expect(passes()(at('a.1'), at('b.1'), taker).rejected).toMatchObject([{ reason }]);
});

test('an agent that a source lists is refused although nothing runs there', () => {
  const taker = web('/taker', { VIP_0: '10.0.0.7:80' }, '10.0.0.9:1');
  const listed = { ...snapshot(taker), agents: ['10.0.0.6', '10.0.0.7'] };
  expect(translator()(listed, nothingRemembered).rejected).toMatchObject([
    { app: '/taker', reason: 'it is the address of an agent' },
  ]);
});
