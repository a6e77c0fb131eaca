import { describe, expect, test } from '@jest/globals';
import type { Declared } from '../../../controller/model/desired.ts';
import { app, port, snapshot, task, taskPort, WLC, web } from '../../support/builders.ts';
import { lines, passes, translate, translator } from './support.ts';

const WEB = '11.225.37.143';
const declaredNames = (declared: readonly Declared[]) =>
  declared.map((vip) => `${vip.app} ${vip.protocol}/${vip.name ?? vip.address}:${vip.port} ${vip.backends}`);

describe('a named VIP', () => {
  test('has the address that DC/OS gave it, and its tasks as backends', () => {
    const desired = translate(
      web('/my-service', { VIP_0: '/my-service:5555' }, '10.0.0.1:31000', '10.0.0.2:31001'),
    );
    const [service] = desired.services.values();
    expect([...desired.services.keys()]).toEqual(['tcp/11.134.217.55:5555']);
    expect(service).toEqual({
      protocol: 'tcp',
      family: 'ipv4',
      address: '11.134.217.55',
      port: 5555,
      name: 'my-service',
      framework: 'marathon',
      fqdn: 'my-service.marathon.l4lb.thisdcos.directory',
      ...WLC,
      apps: ['/my-service'],
      backends: new Map([
        [
          '10.0.0.1:31000',
          expect.objectContaining({
            app: '/my-service',
            task: 'my-service.0',
            weight: 1,
            forward: 'masquerade',
          }),
        ],
        [
          '10.0.0.2:31001',
          expect.objectContaining({ reason: 'running, no health check', drainSeconds: 300 }),
        ],
      ]),
    });
    expect(desired).toMatchObject({ rejected: [], warnings: [] });
  });

  test('has one address for all its ports and both protocols', () => {
    const both = port({ VIP_0: 'web:80', VIP_1: 'web:81' }, { protocols: ['udp', 'TCP', 'tcp'] });
    const desired = translate(
      app('/web', { ports: [both], tasks: [task('web.1', [taskPort(both, '10.0.0.1:1')])] }),
    );
    expect([...desired.services.keys()].sort()).toEqual([
      `tcp/${WEB}:80`,
      `tcp/${WEB}:81`,
      `udp/${WEB}:80`,
      `udp/${WEB}:81`,
    ]);
  });

  test('has a service for each family that has backends', () => {
    const desired = translate(web('/web', { VIP_0: 'web:80' }, '10.0.0.1:80', '[FD01:B:0::2]:80'));
    expect(lines(desired)).toEqual([
      `tcp/${WEB}:80 wlc -> 10.0.0.1:80 w1`,
      expect.stringMatching(/^tcp\/\[fd01:c:[^\]]+\]:80 wlc -> \[fd01:b::2\]:80 w1$/),
    ]);
    expect(desired.declared[0]?.backends).toBe(2);
  });

  test('takes no IPv6 backends where there is no IPv6 pool, and says so when there are no others', () => {
    const v4Only = passes({ pools: { ipv4: null, ipv6: null } });
    const desired = v4Only(web('/web', { VIP_0: 'web:80' }, '[fd01:b::2]:80'));
    expect(desired.services.size).toBe(0);
    expect(desired.warnings).toHaveLength(1);
  });

  test('without backends is declared and has no service', () => {
    const desired = translate(web('/web', { VIP_0: 'web:80' }));
    expect(desired.services.size).toBe(0);
    expect(desired.declared).toEqual([
      {
        app: '/web',
        name: 'web',
        framework: 'marathon',
        fqdn: 'web.marathon.l4lb.thisdcos.directory',
        address: null,
        protocol: 'tcp',
        port: 80,
        backends: 0,
        withoutBackends: 'no task runs',
        at: 'portDefinitions[0].labels.VIP_0',
        mode: 'host',
        backendAddress: 'agent',
      },
    ]);
  });

  test('of another framework is another VIP', () => {
    const desired = translate(
      { ...web('/kafka', { VIP_0: 'broker:9092' }, '10.0.0.1:1'), framework: 'kafka' },
      web('/other', { VIP_0: 'broker:9092' }, '10.0.0.2:1'),
      { ...web('/odd', { VIP_0: 'broker:9092' }, '10.0.0.3:1'), framework: '/%' },
    );
    expect(desired.services.size).toBe(2);
    expect(desired.services.get('tcp/11.175.100.165:9092')?.fqdn).toBe(
      'broker.kafka.l4lb.thisdcos.directory',
    );
    expect(desired.rejected).toMatchObject([{ app: '/odd', reason: expect.stringContaining('"/%"') }]);
  });

  test('keeps its address while any app declares it, with or without tasks, and loses it afterwards', () => {
    const pass = passes();
    const memory = {
      addresses: new Map([['web.marathon', { ipv4: '11.0.0.9', ipv6: 'fd01:c::9' }]]),
      labels: new Map(),
    };
    const kept = translator()(snapshot(web('/web', { VIP_0: 'web:80' }, '10.0.0.1:1')), memory);
    expect([...kept.services.keys()]).toEqual(['tcp/11.0.0.9:80']);
    expect(kept.memory.addresses).toEqual(memory.addresses);

    expect(pass(web('/web', { VIP_0: 'web:80' })).memory.addresses.has('web.marathon')).toBe(true);
    expect(pass().memory.addresses.size).toBe(0);
  });
});

describe('an IP VIP', () => {
  test('has its literal address, no name, and takes only backends of its family', () => {
    const labels = { VIP_0: '10.7.7.7:80', VIP_1: 'fd01:d::7:80' };
    const desired = translate(web('/web', labels, '10.0.0.1:80', '[fd01:b::2]:80'));
    expect(lines(desired)).toEqual([
      'tcp/10.7.7.7:80 wlc -> 10.0.0.1:80 w1',
      'tcp/[fd01:d::7]:80 wlc -> [fd01:b::2]:80 w1',
    ]);
    expect(desired.services.get('tcp/10.7.7.7:80')).toMatchObject({
      name: null,
      framework: null,
      fqdn: null,
    });
    expect(declaredNames(desired.declared)).toEqual(['/web tcp/10.7.7.7:80 1', '/web tcp/fd01:d::7:80 1']);
  });

  test('of IPv6 over tasks that are reached by IPv4 only has no service, and a warning says why', () => {
    const desired = translate(web('/web', { VIP_0: 'fd01:d::7:80' }, '10.0.0.1:80'));
    expect(desired.services.size).toBe(0);
    expect(desired.warnings).toEqual([
      expect.stringMatching(/^\/web portDefinitions\[0\]\.labels\.VIP_0: .* takes only IPv6/),
    ]);
  });

  test('is shared by two frameworks', () => {
    const desired = translate(
      { ...web('/a', { VIP_0: '10.7.7.7:80' }, '10.0.0.1:1'), framework: 'kafka' },
      web('/b', { VIP_0: '10.7.7.7:80' }, '10.0.0.2:1'),
    );
    expect(lines(desired)).toEqual(['tcp/10.7.7.7:80 wlc -> 10.0.0.1:1 w1 10.0.0.2:1 w1']);
  });

  test('inside the pool is not given to a name', () => {
    const desired = translate(
      web('/taker', { VIP_0: `${WEB}:80` }, '10.0.0.1:1'),
      web('/web', { VIP_0: 'web:80' }, '10.0.0.2:1'),
    );
    expect(lines(desired)).toEqual([
      'tcp/11.225.37.143:80 wlc -> 10.0.0.1:1 w1',
      'tcp/11.225.37.144:80 wlc -> 10.0.0.2:1 w1',
    ]);
    expect(desired.warnings).toEqual([expect.stringContaining('because an IP VIP has 11.225.37.143')]);
  });
});

describe('a VIP that two apps declare', () => {
  test.each([
    ['655', 30],
    ['656', undefined],
  ])('has slow start with weight %s of the other app: %s s', (weight, seconds) => {
    const { services } = translate(
      web('/a', { VIP_0: '/web:80', IPVS_SLOW_START_SECONDS: '30' }, '10.0.0.1:1'),
      web('/b', { VIP_0: '/web:80', IPVS_WEIGHT: weight }, '10.0.0.2:1'),
    );
    expect([...services.values()].map(({ slowStartSeconds }) => slowStartSeconds)).toEqual([seconds]);
  });

  test('has the backends of both, each with its own weight and drain', () => {
    const desired = translate(
      web('/green', { VIP_0: '/web:80', IPVS_WEIGHT: '3', IPVS_DRAIN_SECONDS: '60' }, '10.0.0.1:1'),
      web('/blue', { VIP_0: 'web:80' }, '10.0.0.2:1'),
    );
    const [service] = desired.services.values();
    expect(service?.apps).toEqual(['/blue', '/green']);
    expect(service?.backends.get('10.0.0.1:1')).toMatchObject({ weight: 3, drainSeconds: 60 });
    expect(service?.backends.get('10.0.0.2:1')).toMatchObject({ weight: 1, drainSeconds: 300 });
    expect(declaredNames(desired.declared)).toEqual(['/blue tcp/web:80 1', '/green tcp/web:80 1']);
    expect(desired.warnings).toEqual([]);
  });

  test('has the scheduler of the app whose id sorts first, with a warning', () => {
    const desired = translate(
      web('/green', { VIP_0: 'web:80', IPVS_SCHEDULER: 'mh', IPVS_PERSISTENCE_SECONDS: '60' }, '10.0.0.1:1'),
      web('/blue', { VIP_0: 'web:80', IPVS_SCHEDULER: 'rr' }, '10.0.0.2:1'),
    );
    expect(lines(desired)).toEqual([`tcp/${WEB}:80 rr -> 10.0.0.1:1 w1 10.0.0.2:1 w1`]);
    expect(desired.warnings).toEqual([
      '/green portDefinitions[0].labels.VIP_0: tcp/web.marathon.l4lb.thisdcos.directory:80 has IPVS_SCHEDULER mh, ' +
        'IPVS_PERSISTENCE_SECONDS 60 here, but /blue decides: IPVS_SCHEDULER rr, IPVS_PERSISTENCE_SECONDS 0',
    ]);
  });

  test('gives each backend the most connections that its own app allows', () => {
    const desired = translate(
      web('/a', { VIP_0: 'web:80', IPVS_MAX_CONNECTIONS: '10' }, '10.0.0.1:1'),
      web('/b', { VIP_0: 'web:80' }, '10.0.0.2:1'),
    );
    const [service] = desired.services.values();
    expect(service?.backends.get('10.0.0.1:1')).toMatchObject({ upperThreshold: 10, lowerThreshold: 8 });
    expect(service?.backends.get('10.0.0.2:1')).toMatchObject({ upperThreshold: 0, lowerThreshold: 0 });
    expect(desired.warnings).toEqual([]);
  });

  test('knows clients by one prefix in IPv4 and by another in IPv6', () => {
    const labels = { VIP_0: 'web:80', IPVS_PERSISTENCE_SECONDS: '60', IPVS_PERSISTENCE_PREFIX: '24/64' };
    const desired = translate(web('/a', labels, '10.0.0.1:1', '[fd01:b::1]:1'));
    const prefixes = [...desired.services.values()].map(({ family, persistencePrefix }) => [
      family,
      persistencePrefix,
    ]);
    expect(prefixes).toEqual([
      ['ipv4', 24],
      ['ipv6', 64],
    ]);
  });

  test('has one backend of the greater weight where two tasks have one address and port', () => {
    const desired = translate(
      web('/a', { VIP_0: 'web:80', IPVS_WEIGHT: '2' }, '10.0.0.1:1', '10.0.0.1:1'),
      web('/b', { VIP_0: 'web:80', IPVS_WEIGHT: '5' }, '10.0.0.1:1'),
    );
    expect(lines(desired)).toEqual([`tcp/${WEB}:80 wlc -> 10.0.0.1:1 w5`]);
  });

  test('is one VIP where the labels differ until they are cleaned, with a warning that names both', () => {
    const desired = translate(
      web('/a', { VIP_0: 'My_App:80' }, '10.0.0.1:1'),
      web('/b', { VIP_0: '/my-app:80' }, '10.0.0.2:1'),
    );
    expect(desired.services.size).toBe(1);
    expect(desired.warnings).toEqual([
      '"My_App" of marathon (/a portDefinitions[0].labels.VIP_0) and "my-app" of marathon ' +
        '(/b portDefinitions[0].labels.VIP_0) are one VIP: my-app.marathon',
    ]);
  });

  test('is one VIP with and without slash, without a warning', () => {
    const desired = translate(
      web('/a', { VIP_0: 'web:80' }, '10.0.0.1:1'),
      web('/b', { VIP_0: '/web:80' }, '10.0.0.2:1'),
    );
    expect(desired.services.size).toBe(1);
    expect(desired.warnings).toEqual([]);
  });
});
