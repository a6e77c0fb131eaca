import { expect, test } from '@jest/globals';
import type { Agent } from '../../../controller/model/app.ts';
import { app, nothingRemembered, port, snapshot, task, taskPort } from '../../support/builders.ts';
import { lines, passes, translator } from './support.ts';

const declared = port({ VIP_0: '/web:80' });
const inside = port({ VIP_0: '/web:80' }, { mode: 'container', backendAddress: 'container' });
const AT = '/web portDefinitions[0]: task';

/** An app with a task at these places, and one at 10.0.0.1:1 that is well. */
const beside = (of: typeof declared, places: readonly string[], agent?: Agent) =>
  app('/web', {
    ports: [of],
    tasks: [
      task('web.1', [taskPort(of, ...places)], agent === undefined ? {} : { agent }),
      task('web.2', [taskPort(of, '10.0.0.1:1')]),
    ],
  });

test.each([
  ['127.0.0.1:31000', '127.0.0.1 is a loopback address'],
  ['0.0.0.0:31000', '0.0.0.0 is the unspecified address'],
  ['169.254.7.7:31000', '169.254.7.7 is a link-local address'],
  ['224.0.0.5:31000', '224.0.0.5 is a multicast address'],
  ['255.255.255.255:31000', '255.255.255.255 is the broadcast address'],
  ['[::]:80', ':: is the unspecified address'],
  ['[::1]:80', '::1 is a loopback address'],
  ['[FE80:0::1]:80', 'fe80::1 is a link-local address'],
  ['[ff02::1]:80', 'ff02::1 is a multicast address'],
  ['[::FFFF:a01:203]:80', '::ffff:10.1.2.3 is an IPv4 address in IPv6 form (IPv4-mapped)'],
  ['11.2.3.4:80', "11.2.3.4 is an address of the named VIPs' pool, 11.0.0.0 to 11.255.255.254"],
  ['11.255.255.255:80', "11.255.255.255 is an address of the named VIPs' pool, 11.0.0.0 to 11.255.255.254"],
  [
    '[fd01:c::9]:80',
    "fd01:c::9 is an address of the named VIPs' pool, fd01:c:: to fd01:c::ffff:ffff:ffff:ffff",
  ],
])('what is at %s is no backend, and the VIP works on with the others', (place, reason) => {
  const desired = passes()(beside(inside, [place]));
  expect(lines(desired)).toEqual(['tcp/11.225.37.143:80 wlc -> 10.0.0.1:1 w1']);
  expect(desired.warnings).toEqual([`${AT} web.1 is not a backend: its address ${reason}`]);
  expect(desired.rejected).toEqual([]);

  const onHost = passes()(beside(declared, [place]));
  expect(onHost.warnings).toEqual([`${AT} web.1 is not a backend: the agent's address ${reason}`]);
});

test('a VIP of which no task can be a backend has no service', () => {
  const only = app('/web', { ports: [inside], tasks: [task('web.1', [taskPort(inside, '[fe80::1]:80')])] });
  const { services, declared: asked } = passes()(only);
  expect(services.size).toBe(0);
  expect(asked).toMatchObject([{ app: '/web', backends: 0 }]);
});

test('a task with several addresses is a backend at those that can be reached', () => {
  const desired = passes()(beside(inside, ['[fe80::1]:80', '127.0.0.1:80', '10.0.0.7:80']));
  expect(lines(desired)).toEqual(['tcp/11.225.37.143:80 wlc -> 10.0.0.1:1 w1 10.0.0.7:80 w1']);
  expect(desired.warnings).toEqual([
    `${AT} web.1 is a backend at some of its addresses only: its address fe80::1 is a link-local address; its address 127.0.0.1 is a loopback address`,
  ]);
});

test("an agent's host name that resolves to what cannot be reached is told by name", () => {
  const agent = { host: 'agent1', address: '127.0.1.1' };
  expect(passes()(beside(declared, ['127.0.1.1:31000'], agent)).warnings).toEqual([
    `${AT} web.1 is not a backend: the agent's host name agent1 resolves to 127.0.1.1, a loopback address`,
  ]);
});

test('nothing is told of a task that is no backend anyway, or whose port has no VIP', () => {
  const plain = port({});
  const quiet = app('/web', {
    ports: [declared],
    tasks: [
      task('web.1', [taskPort(declared, '127.0.0.1:1')], { state: 'staging' }),
      task('web.2', [taskPort(plain, '127.0.0.1:1')]),
    ],
  });
  expect(passes()(quiet).warnings).toEqual([]);
});

test('a container that cannot be reached directly is reached by its host port on its own host too', () => {
  const behind = {
    ...taskPort(declared, '10.0.0.1:31000'),
    local: [{ address: '169.254.1.2', port: 80 }],
  };
  const here = new Set(['10.0.0.1']);
  const all = snapshot(app('/web', { ports: [declared], tasks: [task('web.1', [behind])] }));
  const { services } = translator({ hostAddresses: () => here })(all, nothingRemembered);
  expect([...services.values()].flatMap(({ backends }) => [...backends.keys()])).toEqual(['10.0.0.1:31000']);
});

test('what is unfit on this host is no backend, from the moment it is', () => {
  let unfit: ReadonlyMap<string, string> = new Map();
  const pass = passes({ unfitAddresses: () => unfit });
  const same = beside(inside, ['10.9.0.255:80']);
  expect(pass(same).warnings).toEqual([]);
  unfit = new Map([['10.9.0.255', 'the broadcast address of 10.9.0.1/24']]);
  expect(pass(same).warnings).toEqual([
    `${AT} web.1 is not a backend: its address 10.9.0.255 is the broadcast address of 10.9.0.1/24`,
  ]);
});
