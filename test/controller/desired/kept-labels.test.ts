import { describe, expect, test } from '@jest/globals';
import { parsePool } from '../../../controller/desired/pool.ts';
import type { NameMemory } from '../../../controller/model/name-memory.ts';
import { app, nothingRemembered, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import { lines, passes, translator } from './support.ts';

// Rule 8: a label that becomes invalid keeps its last valid VIP, with today's backends.
const WEB = '11.225.37.143';
const INVALID = {
  app: '/web',
  at: 'portDefinitions[0].labels.VIP_0',
  value: 'web',
  reason: 'expected NAME:PORT or IP:PORT',
};

test('a label that becomes invalid keeps its last valid VIP with today’s backends, and is told', () => {
  const pass = passes();
  pass(web('/web', { VIP_0: 'web:80' }, '10.0.0.1:1'));
  const broken = pass(web('/web', { VIP_0: 'web' }, '10.0.0.2:2', '10.0.0.3:3'));
  expect(lines(broken)).toEqual([`tcp/${WEB}:80 wlc -> 10.0.0.2:2 w1 10.0.0.3:3 w1`]);
  expect(broken.rejected).toEqual([INVALID]);
  expect(broken.warnings).toEqual([
    '/web portDefinitions[0].labels.VIP_0: "web" is not valid, so the VIP stays what it was: web:80',
  ]);
  expect(broken.declared).toMatchObject([{ app: '/web', name: 'web', backends: 2 }]);
});

test('it is kept over a restart, from the memory alone', () => {
  const { memory } = translator()(snapshot(web('/web', { VIP_0: 'web:80' })), {
    addresses: new Map(),
    labels: new Map(),
  });
  const broken = translator()(snapshot(web('/web', { VIP_0: 'web' }, '10.0.0.2:2')), memory);
  expect(lines(broken)).toEqual([`tcp/${WEB}:80 wlc -> 10.0.0.2:2 w1`]);
  expect(broken.memory).toBe(memory);
});

test('a label that is valid again counts at once', () => {
  const pass = passes();
  pass(web('/web', { VIP_0: 'web:80' }, '10.0.0.1:1'));
  pass(web('/web', { VIP_0: 'web' }, '10.0.0.1:1'));
  const mended = pass(web('/web', { VIP_0: 'web:81' }, '10.0.0.1:1'));
  expect(lines(mended)).toEqual([`tcp/${WEB}:81 wlc -> 10.0.0.1:1 w1`]);
  expect(mended.rejected).toEqual([]);
});

test.each([
  ['the label', [web('/web', { OTHER: 'x' }, '10.0.0.1:1')]],
  ['the app', []],
])('%s that is removed takes the kept VIP with it, for good', (_what, apps) => {
  const pass = passes();
  pass(web('/web', { VIP_0: 'web:80' }, '10.0.0.1:1'));
  pass(web('/web', { VIP_0: 'web' }, '10.0.0.1:1'));
  const removed = pass(...apps);
  expect(removed.services.size).toBe(0);
  expect(removed.memory.labels.size).toBe(0);
  expect(pass(web('/web', { VIP_0: 'web' }, '10.0.0.1:1')).services.size).toBe(0);
});

test('the app’s other labels and other apps are not touched', () => {
  const pass = passes();
  const other = web('/other', { VIP_0: 'other:80' }, '10.0.0.9:9');
  const before = pass(web('/web', { VIP_0: 'web:80', VIP_1: '10.7.7.7:80' }, '10.0.0.1:1'), other);
  const after = pass(web('/web', { VIP_0: 'web', VIP_1: '10.7.7.7:80' }, '10.0.0.1:1'), other);
  expect(lines(after)).toEqual(lines(before));
  for (const [key, service] of before.services) expect(after.services.get(key)).toEqual(service);
});

test('a label that was never valid gives no VIP', () => {
  expect(passes()(web('/web', { VIP_0: 'web' }, '10.0.0.1:1')).services.size).toBe(0);
});

test('a task of an invalid older version follows the definition that was mended since', () => {
  const [old, now] = [port({ VIP_0: 'web' }), port({ VIP_0: 'web:80' })];
  const tasks = [task('a', [taskPort(old, '10.0.0.1:1')]), task('b', [taskPort(now, '10.0.0.2:1')])];
  const desired = passes()(app('/web', { ports: [now], tasks }));
  expect(lines(desired)).toEqual([`tcp/${WEB}:80 wlc -> 10.0.0.1:1 w1 10.0.0.2:1 w1`]);
  expect(desired.rejected).toEqual([]);
});

test('a label that changes to a refused address keeps its last valid VIP', () => {
  const pass = passes();
  pass(web('/web', { VIP_0: '10.7.7.7:80' }, '10.0.0.1:1'));
  const refused = pass(web('/web', { VIP_0: '127.0.0.1:80' }, '10.0.0.1:1'));
  expect(lines(refused)).toEqual(['tcp/10.7.7.7:80 wlc -> 10.0.0.1:1 w1']);
  expect(refused.rejected).toHaveLength(1);
});

test('labels of apps of the same id in two frameworks are kept apart', () => {
  const pass = passes();
  const kafka = (labels: Record<string, string>) => ({
    ...web('/web', labels, '10.0.0.1:1'),
    framework: 'kafka',
  });
  pass(web('/web', { VIP_0: 'one:80' }), kafka({ VIP_0: 'two:80' }));
  expect(pass(web('/web', { VIP_0: 'x' }), kafka({ VIP_0: 'x' })).declared.map(({ fqdn }) => fqdn)).toEqual([
    'two.kafka.l4lb.thisdcos.directory',
    'one.marathon.l4lb.thisdcos.directory',
  ]);
});

describe('on a part of the truth (a source that says nothing after a restart)', () => {
  const known = translator()(snapshot(web('/web', { VIP_0: 'web:80' })), nothingRemembered).memory;

  test('nothing is forgotten: a label that is not there, and the address of its name', () => {
    expect(translator()(snapshot(), known, { complete: false }).memory).toBe(known);
    expect(translator()(snapshot(), known).memory.addresses.size).toBe(0);
  });

  test('what is remembered of a label is newer than an old snapshot', () => {
    const old = snapshot(web('/web', { VIP_0: 'old:80' }, '10.0.0.1:1'));
    const { memory } = translator()(old, known, { complete: false });
    expect([...memory.labels.values()]).toEqual(['web:80']);
    expect([...memory.addresses.keys()].sort()).toEqual(['old.marathon', 'web.marathon']);
  });

  test('a name that is not there still holds its address, against other names and against an IP VIP', () => {
    const one = { ipv4: parsePool('11.0.0.0/32'), ipv6: null };
    const holder: NameMemory = {
      addresses: new Map([['web.marathon', { ipv4: '11.0.0.0' }]]),
      labels: new Map(),
    };
    const others = snapshot(
      web('/api', { VIP_0: 'api:80' }, '10.0.0.1:1'),
      web('/ip', { VIP_0: '11.0.0.0:80' }, '10.0.0.1:2'),
    );
    const part = translator({ pools: one })(others, holder, { complete: false });
    expect(lines(part)).toEqual([]);
    expect(part.memory.addresses).toEqual(holder.addresses);
    expect(lines(translator({ pools: one })(others, holder))).toEqual([
      'tcp/11.0.0.0:80 wlc -> 10.0.0.1:2 w1',
    ]);
  });
});

test('a name that goes frees its address for the pass after, since its VIP may be held in this one', () => {
  const pass = passes({ pools: { ipv4: parsePool('11.0.0.0/32'), ipv6: null } });
  pass(web('/web', { VIP_0: 'web:80' }, '10.0.0.1:1'));
  const api = web('/api', { VIP_0: 'api:80' }, '10.0.0.1:2');
  const first = pass(api);
  expect(lines(first)).toEqual([]);
  expect(first.memory.addresses.has('web.marathon')).toBe(false);
  expect(lines(pass(api))).toEqual(['tcp/11.0.0.0:80 wlc -> 10.0.0.1:2 w1']);
});
