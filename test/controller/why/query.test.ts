import { describe, expect, test } from '@jest/globals';
import { checkBackends } from '../../../controller/why/stages/backends.ts';
import { checkName, findVips } from '../../../controller/why/stages/name.ts';
import { backend, desired, query, vip } from './facts.ts';

const meant = (text: string, what = desired()) => {
  const found = findVips(what, query(text));
  return 'vips' in found ? found.vips.map(({ id }) => id) : found.verdict;
};

describe('the VIPs that match a query', () => {
  const both = desired({
    vips: [vip(), vip({ port: 443 }), vip({ protocol: 'udp', port: 53 }), vip({ address: 'fd00::1' })],
  });

  test.each([
    ['web', ['tcp/11.0.0.1:80', 'tcp/11.0.0.1:443', 'tcp/fd00::1:80']],
    ['WEB:443', ['tcp/11.0.0.1:443']],
    ['web.marathon:80', ['tcp/11.0.0.1:80', 'tcp/fd00::1:80']],
    ['web.marathon.l4lb.thisdcos.directory.:443', ['tcp/11.0.0.1:443']],
    ['/group/web:443', ['tcp/11.0.0.1:443']],
    ['web:53', ['udp/11.0.0.1:53']],
    ['web:53/udp', ['udp/11.0.0.1:53']],
    ['udp/11.0.0.1:53', ['udp/11.0.0.1:53']],
    ['[fd00::1]:80', ['tcp/fd00::1:80']],
    ['fd00::1', ['tcp/fd00::1:80']],
  ])('%s', (text, ids) => {
    expect(meant(text, both)).toEqual(ids);
  });

  test.each(['', 'web:', 'web:x', 'web:70000', '*', ' '])(
    '"%s" is rejected with the expected form',
    (text) => {
      expect(() => query(text)).toThrow('expected NAME[:PORT][/udp] of one VIP');
    },
  );

  test.each([
    ['wbe', { cause: 'unknown-name', fix: expect.stringContaining('did you mean "web"?') }],
    ['nothing-like-it', { cause: 'unknown-name', fix: expect.stringContaining('VIP_0') }],
    ['web:81', { cause: 'wrong-port', found: expect.stringContaining('80/tcp') }],
    ['web:80/udp', { cause: 'wrong-protocol' }],
  ])('%s: the mistake is named', (text, expected) => {
    expect(meant(text)).toMatchObject({ state: 'broken', ...expected });
  });

  test('a rejected label is shown with what was expected, for its app and for its name', () => {
    const rejection = {
      app: '/bad',
      at: 'portDefinitions[0].labels.VIP_0',
      value: '/My_Bad',
      reason: 'expected NAME:PORT',
    };
    const what = desired({ rejected: [rejection] });
    for (const text of ['/bad', 'my-bad:80']) {
      expect(meant(text, what)).toMatchObject({
        cause: 'label-rejected',
        found: expect.stringContaining('expected NAME:PORT'),
      });
    }
  });

  test('the value of another label is no name', () => {
    const rejection = {
      app: '/opt',
      at: 'portDefinitions[0].labels.IPVS_SCHEDULER',
      value: 'nosuch',
      reason: 'r',
    };
    expect(meant('nosuch', desired({ rejected: [rejection] }))).toMatchObject({ cause: 'unknown-name' });
  });

  test('a label that is none by its key or its place is shown, for the name of its app', () => {
    const warnings = [
      '/other portDefinitions[0].labels.IPVS_WEIGHT is not used: there is no VIP label beside it',
      '/my_app portDefinitions[0].labels.Vip_0 is not used: the key of a VIP label begins with VIP or vip: VIP_0',
    ];
    for (const text of ['my-app', 'my-app.marathon:80', '/my_app'])
      expect(meant(text, desired({ warnings }))).toMatchObject({
        cause: 'label-rejected',
        found: warnings[1],
        fix: 'correct the label in the definition of /my_app',
      });
    for (const text of ['other', 'my', 'app'])
      expect(meant(text, desired({ warnings }))).toMatchObject({ cause: 'unknown-name' });
  });

  test('a rejected definition is not blamed on its label', () => {
    const rejection = {
      app: '/bad',
      at: 'portDefinitions',
      value: 'http',
      reason: 'expected a list, got text',
    };
    expect(meant('/bad', desired({ rejected: [rejection] }))).toMatchObject({
      cause: 'app-rejected',
      found: '/bad portDefinitions: "http": expected a list, got text',
      fix: 'correct portDefinitions in the definition of /bad',
    });
  });

  test('a source that cannot be read is mentioned with a name that no app declares', () => {
    const what = desired({ sources: [{ name: 'marathon=http://10.0.0.9:8080', failure: 'ECONNREFUSED' }] });
    expect(meant('other', what)).toMatchObject({
      found: expect.stringContaining('cannot be read now: ECONNREFUSED'),
    });
  });

  test('before the first pass it is unknown', () => {
    expect(meant('web', desired({ incomplete: 'not read yet' }))).toEqual({
      state: 'unknown',
      found: 'not read yet',
    });
  });
});

describe('whether the VIP is declared and ours', () => {
  test.each([
    ['conflict', 'conflict'],
    ['draining', 'leaving'],
  ])('%s', (state, cause) => {
    expect(checkName({ vip: vip({ state, reason: 'because' }) })).toMatchObject([{ state: 'broken', cause }]);
  });

  test('a held removal breaks nothing', () => {
    expect(checkName({ vip: vip({ state: 'held' }) }).map(({ state }) => state)).toEqual(['ok', 'note']);
  });
});

describe('whether a backend gets connections', () => {
  test('one is enough, and the reasons of the others are shown', () => {
    const backends = [backend('10.0.0.1'), backend('10.0.0.2', { weight: 0 })];
    expect(checkBackends({ vip: vip({ backends }) })).toEqual([
      {
        state: 'ok',
        found: '1 of 2 get new connections; 10.0.0.2:31000: running, health check failing: weight 0',
      },
    ]);
  });

  test.each([
    ['running, health check failing: weight 0', 'unhealthy'],
    ['running, health check has given no result yet: weight 0', 'no-health-result'],
    ['running, no health check: weight 0 by IPVS_WEIGHT', 'weight-zero'],
    ['being killed: weight 0', 'ending'],
    ['for another reason', 'out-of-rotation'],
  ])('none, for the reason "%s"', (reason, cause) => {
    const backends = [backend('10.0.0.1', { weight: 0, reason })];
    expect(checkBackends({ vip: vip({ backends }) })).toMatchObject([
      { state: 'broken', cause, found: expect.stringContaining(reason) },
    ]);
  });

  test.each([
    ['no task runs', 'scale it up'],
    ['of 2 tasks, 2 start', 'wait until a task of /group/web runs'],
    ['of 1 task, 1 is unreachable', 'agents of /group/web'],
    ['of 1 task, 1 runs without an address for this VIP (its agent has no address)', 'address and port'],
    ['no task can be read: tasks[0].ports[0] is "x": task a is left out', 'correct what the source reports'],
  ])('the VIP has none, for the reason "%s"', (reason, fix) => {
    expect(checkBackends({ vip: vip({ backends: [], reason }) })).toMatchObject([
      { cause: 'no-backend', found: reason, fix: expect.stringContaining(fix) },
    ]);
  });
});
