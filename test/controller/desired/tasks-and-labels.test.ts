import { describe, expect, test } from '@jest/globals';
import type { Declared } from '../../../controller/model/desired.ts';
import { OPTION_KEYS } from '../../../controller/settings/label-keys.ts';
import { app, nothingRemembered, port, task, taskPort, web } from '../../support/builders.ts';
import { lines, passes, translate, translator } from './support.ts';

const WEB = '11.225.37.143';
const declaredNames = (declared: readonly Declared[]) =>
  declared.map((vip) => `${vip.app} ${vip.protocol}/${vip.name ?? vip.address}:${vip.port} ${vip.backends}`);

describe('tasks and ports', () => {
  test('a VIP has the running and the killed ones, and keeps a service when all have weight 0', () => {
    const declared = port({ VIP_0: 'web:80' });
    const at = (
      id: string,
      state: 'running' | 'killing' | 'unreachable' | 'staging' | 'gone',
      health: 'unchecked' | 'unhealthy' = 'unchecked',
    ) => task(id, [taskPort(declared, `10.0.0.${id}:1`)], { state, health });
    const tasks = [
      at('1', 'running', 'unhealthy'),
      at('2', 'killing'),
      at('3', 'unreachable'),
      at('4', 'staging'),
      at('5', 'gone'),
    ];
    expect(lines(translate(app('/web', { ports: [declared], tasks })))).toEqual([
      `tcp/${WEB}:80 wlc -> 10.0.0.1:1 w0 10.0.0.2:1 w0`,
    ]);
  });

  test('a task of an older version serves the VIP of its own version until it is gone', () => {
    const [old, now] = [port({ VIP_0: 'old:80' }), port({ VIP_0: 'new:80' })];
    const tasks = [task('a', [taskPort(old, '10.0.0.1:1')]), task('b', [taskPort(now, '10.0.0.2:1')])];
    const during = translate(app('/web', { ports: [now], tasks }));
    expect(declaredNames(during.declared)).toEqual(['/web tcp/new:80 1', '/web tcp/old:80 1']);
    const after = translate(app('/web', { ports: [now], tasks: tasks.slice(1) }));
    expect(declaredNames(after.declared)).toEqual(['/web tcp/new:80 1']);
  });

  test('a VIP of an older version alone does not outlive its tasks that are backends', () => {
    const old = port({ VIP_0: 'old:80' });
    const tasks = [task('a', [taskPort(old, '10.0.0.1:1')], { state: 'gone' })];
    expect(translate(app('/web', { tasks })).declared).toEqual([]);
  });

  test('a protocol that is neither tcp nor udp gives no VIP, and a warning where a VIP label stands beside it', () => {
    const labelled = port(
      { VIP_0: 'web:80' },
      { protocols: ['http', 'UDP'], at: 'containers[0].endpoints[0]' },
    );
    const plain = port({}, { protocols: ['http'], at: 'containers[0].endpoints[1]' });
    const none = port({ VIP_0: 'api:80' }, { protocols: [], at: 'containers[0].endpoints[2]' });
    const desired = translate(app('/pod', { kind: 'pod', ports: [labelled, plain, none] }));
    expect(declaredNames(desired.declared)).toEqual(['/pod udp/web:80 0']);
    expect(desired.warnings).toEqual([
      '/pod containers[0].endpoints[0]: no VIP for protocol "http", only for tcp and udp',
      '/pod containers[0].endpoints[2]: no VIP, because the port has no protocol',
    ]);
  });

  test('a VIP that a pod declares in two containers is declared once, where it stands first', () => {
    const nginx = port({ VIP_0: 'web:80' }, { container: 'nginx', at: 'containers[0].endpoints[0]' });
    const flask = port({ VIP_0: 'web:80' }, { container: 'flask', at: 'containers[1].endpoints[0]' });
    const tasks = [task('1', [taskPort(nginx, '10.0.0.1:1')]), task('2', [taskPort(flask, '10.0.0.1:2')])];
    expect(translate(app('/pod', { kind: 'pod', ports: [nginx, flask], tasks })).declared).toMatchObject([
      { app: '/pod', container: 'nginx', backends: 2 },
    ]);
  });

  test('one VIP at two ports of an app has the scheduler of the first, with a warning', () => {
    const first = port({ VIP_0: 'web:80', IPVS_SCHEDULER: 'rr' });
    const second = port({ VIP_0: 'web:80' }, { at: 'portDefinitions[1]' });
    const tasks = [task('1', [taskPort(first, '10.0.0.1:1'), taskPort(second, '10.0.0.1:2')])];
    const desired = translate(app('/web', { ports: [first, second], tasks }));
    expect(lines(desired)).toEqual([`tcp/${WEB}:80 rr -> 10.0.0.1:1 w1 10.0.0.1:2 w1`]);
    expect(desired.warnings).toEqual([
      `/web portDefinitions[1]: web.marathon.l4lb.thisdcos.directory:80 has IPVS_SCHEDULER wlc here, but portDefinitions[0].labels.VIP_0 decides: IPVS_SCHEDULER rr`,
    ]);
  });

  test('one VIP at one port that two sources define is told to be of another source', () => {
    const [first, second] = ['rr', 'lc'].map((scheduler) =>
      port({ VIP_0: 'web:80', IPVS_SCHEDULER: scheduler }),
    );
    const ports = [first, second].filter((each) => each !== undefined);
    expect(translate(app('/web', { ports })).warnings).toEqual([
      `/web portDefinitions[0]: web.marathon.l4lb.thisdcos.directory:80 has IPVS_SCHEDULER lc in another source too, but the first source decides: IPVS_SCHEDULER rr`,
    ]);
  });

  test('an address that is not known yet is told for ports with a VIP', () => {
    const declared = port({ VIP_0: 'web:80' });
    const unresolved = { ...taskPort(declared), unresolved: 'agent-1.example has no address' };
    const plain = {
      ...taskPort(port({}, { at: 'portDefinitions[1]' })),
      unresolved: 'agent-1.example has no address',
    };
    const desired = translate(
      app('/web', { ports: [declared], tasks: [task('web.1', [unresolved, plain])] }),
    );
    expect(desired.warnings).toEqual([
      '/web portDefinitions[0]: task web.1 is not a backend: agent-1.example has no address',
    ]);
  });

  test('a VIP without endpoint number or with text for an address has no such backend', () => {
    expect(
      lines(translate(web('/web', { VIP_0: 'web:80' }, '10.0.0.1:0', '[fd01::xyz]:80', '10.0.0.1:1'))),
    ).toEqual([`tcp/${WEB}:80 wlc -> 10.0.0.1:1 w1`]);
  });
});

describe('what cannot be used', () => {
  test('a label that is no VIP is told with app, path, value and what was expected; the others work', () => {
    const desired = translate(web('/bad', { VIP_0: 'nocolon', VIP_1: 'web:80' }, '10.0.0.1:1'));
    expect(desired.rejected).toEqual([
      {
        app: '/bad',
        at: 'portDefinitions[0].labels.VIP_0',
        value: 'nocolon',
        reason: 'expected NAME:PORT or IP:PORT',
      },
    ]);
    expect(lines(desired)).toEqual([`tcp/${WEB}:80 wlc -> 10.0.0.1:1 w1`]);
  });

  test('a label of the task itself is told as it stands there', () => {
    const bad = { ...port({ VIP_PORT0: 'nocolon' }), at: 'labels.vip_PORT0', protocols: ['udp'] };
    expect(translate(app('/bad', { ports: [bad] })).rejected).toEqual([
      {
        app: '/bad',
        at: 'labels.vip_PORT0',
        value: 'udp://nocolon',
        reason: 'expected tcp://NAME:PORT or udp://NAME:PORT',
      },
    ]);
  });

  test('a name that is empty is ignored with a warning', () => {
    const desired = translate(web('/bad', { VIP_0: ':80' }, '10.0.0.1:1'));
    expect(desired.rejected).toEqual([]);
    expect(desired.warnings).toEqual([
      '/bad portDefinitions[0].labels.VIP_0: ":80" is ignored: expected NAME:PORT or IP:PORT; the name is empty',
    ]);
  });

  test.each([
    ['/%%%:80', 'expected NAME:PORT or IP:PORT, with a letter or digit in each part of the name'],
    [`${'a.'.repeat(120)}a:80`, 'the full name is longer than the 253 characters that DNS allows'],
  ])('%s has no DNS name', (text, reason) => {
    expect(translate(web('/bad', { VIP_0: text }, '10.0.0.1:1'))).toMatchObject({
      rejected: [{ reason }],
      declared: [],
    });
  });

  test('a name that looks like an address is told, since only the slash makes it a name', () => {
    const desired = translate(web('/web', { VIP_0: '/10.7.7.7:80' }, '10.0.0.1:1'));
    expect(desired.declared[0]?.name).toBe('10.7.7.7');
    expect(desired.warnings).toEqual([
      '/web portDefinitions[0].labels.VIP_0: "/10.7.7.7:80" is a name; for the address write it without the slash',
    ]);
  });

  test('a bad option takes the default and is told; the VIP works', () => {
    const desired = translate(
      web('/web', { VIP_0: 'web:80', IPVS_SCHEDULER: 'wlcc', IPVS_WEIGHT: '9' }, '10.0.0.1:1'),
    );
    expect(lines(desired)).toEqual([`tcp/${WEB}:80 wlc -> 10.0.0.1:1 w9`]);
    expect(desired.rejected).toMatchObject([
      { app: '/web', at: 'portDefinitions[0].labels.IPVS_SCHEDULER', value: 'wlcc' },
    ]);
  });

  test('a label that is no option of ours is told with those that are', () => {
    const [rejection] = translate(web('/web', { VIP_0: 'web:80', IPVS_SHEDULER: 'rr' })).rejected;
    expect(rejection).toEqual({
      app: '/web',
      at: 'portDefinitions[0].labels.IPVS_SHEDULER',
      value: 'rr',
      reason: `expected one of the labels ${OPTION_KEYS.join(', ')}; did you mean IPVS_SCHEDULER?`,
    });
  });

  test('options without a VIP label beside them mean nothing', () => {
    expect(translate(web('/web', { IPVS_SCHEDULER: 'wlcc' }, '10.0.0.1:1')).rejected).toEqual([]);
  });

  test('a long value is cut in what is told', () => {
    expect(translate(web('/web', { VIP_0: 'x'.repeat(500) })).rejected[0]?.value).toHaveLength(101);
  });

  test('what the source rejected is handed on, all in order', () => {
    const rejection = { app: '/b', at: 'tasks', value: '7', reason: 'expected a list' };
    const desired = translator()(
      {
        apps: [app('/b', { rejected: [rejection], warnings: ['b'] })],
        rejected: [{ ...rejection, app: 'a.json' }],
        warnings: ['a', 'b'],
      },
      nothingRemembered,
    );
    expect(desired.rejected.map(({ app }) => app)).toEqual(['/b', 'a.json']);
    expect(desired.warnings).toEqual(['/b b', 'a', 'b']);
  });

  test('a full pool leaves one VIP without service and the others working', () => {
    const pools = { ipv4: { family: 'ipv4' as const, min: 0x0b000000n, max: 0x0b000000n }, ipv6: null };
    const desired = passes({ pools })(
      web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1'),
      web('/b', { VIP_0: 'b:80' }, '10.0.0.2:1'),
    );
    expect(lines(desired)).toEqual(['tcp/11.0.0.0:80 wlc -> 10.0.0.1:1 w1']);
    expect(desired.declared).toHaveLength(2);
    expect(desired.warnings).toEqual(['b.marathon has no address: the pool 11.0.0.0 to 11.0.0.0 is full']);
  });

  test('a zone that is no DNS name is a mistake of the operator', () => {
    expect(() => translator({ zone: '%' })).toThrow('zone');
  });
});
