import { describe, expect, test } from '@jest/globals';
import { painter } from '../../../controller/text/table.ts';
import type {
  ConnectionsFact,
  IpvsEntry,
  LimitsFact,
  NamesFact,
  RouteFact,
  WhyPorts,
} from '../../../controller/why/facts.ts';
import { whyText } from '../../../controller/why/print-text.ts';
import { checkAddress } from '../../../controller/why/stages/address.ts';
import { checkConnections } from '../../../controller/why/stages/connections.ts';
import { checkDns } from '../../../controller/why/stages/dns.ts';
import { checkLimits } from '../../../controller/why/stages/limits.ts';
import { checkRoute } from '../../../controller/why/stages/route.ts';
import { explain } from '../../../controller/why/trace.ts';
import { desired, inKernel, query, vip } from './facts.ts';

const ROUTE: RouteFact = {
  interfaceName: 'vip0',
  link: 'up',
  lookup: { kind: 'local' },
  ipForward: '1',
  conntrack: '1',
};
const NAMES: NamesFact = {
  hosts: [],
  servers: ['10.0.0.53'],
  path: '/etc/resolv.conf',
  answers: [{ server: '10.0.0.53', addresses: ['11.0.0.1'], error: null }],
  ours: ['198.51.100.4'],
};
const LIMITS: LimitsFact = {
  conntrack: { count: 5, max: 1_000 },
  portRange: { low: 1, high: 10, reserved: '' },
};
const [FIRST, SECOND] = vip().backends;

const CLIENT_PORTS = Array.from({ length: 10 }, (_, at) => 40_000 + at);

/** Ten connections through the VIP and one to each backend, with these outcomes; `handled` of them have an entry. */
function tried(
  through: string,
  direct: readonly string[] = ['connected', 'connected'],
  state: string | null = 'ESTABLISHED',
  handled = CLIENT_PORTS.length,
) {
  const entry: IpvsEntry = { state: state ?? '', backend: { address: '10.0.0.1', port: 31_000 } };
  const fact: ConnectionsFact = {
    backends: direct.map((outcome, at) => ({
      address: `10.0.0.${at + 1}`,
      port: 31_000,
      outcome,
      localPort: 1,
    })),
    vip: CLIENT_PORTS.map((localPort) => ({
      address: '11.0.0.1',
      port: 80,
      outcome: through,
      localPort,
    })),
    entries: new Map(state === null ? [] : CLIENT_PORTS.slice(0, handled).map((port) => [port, entry])),
  };
  return fact;
}

function ports(what: Partial<WhyPorts> = {}): WhyPorts {
  return {
    client: null,
    sleep: async () => undefined,
    desired: async () => desired(),
    names: async () => NAMES,
    kernel: async () => ({ service: inKernel(...vip().backends) }),
    route: async () => ROUTE,
    filters: async () => ({ nftables: null, iptables: null, ip6tables: null }),
    limits: async () => LIMITS,
    connections: async () => tried('connected'),
    ...what,
  };
}

const look = (what: Partial<WhyPorts> = {}, text = 'web') =>
  explain(query(text), ports(what), 0, new AbortController().signal);
const iptables = `*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -d 11.0.0.1/32 -j DROP\nCOMMIT\n`;
const filters = async () => ({ nftables: null, iptables, ip6tables: null });

describe('the trace of a connection', () => {
  test('covers every stage if the connection works', async () => {
    const { verdict, ways } = await look();
    expect(verdict).toBe('works');
    expect(ways[0]?.steps.map(({ stage }) => stage)).toEqual([
      ...['name', 'dns', 'address', 'backends', 'kernel', 'route', 'filters', 'limits', 'connections'],
    ]);
  });

  test('ends at the first stage that is broken, and later stages are not checked', async () => {
    const connections = () => Promise.reject(new Error('looked at'));
    const { verdict, ways } = await look({ kernel: async () => ({ service: null }), connections });
    expect({ verdict, cause: ways[0]?.cause, last: ways[0]?.steps.at(-1)?.stage }).toEqual({
      ...{ verdict: 'broken', cause: 'service-missing', last: 'kernel' },
    });
  });

  test('names a suspect as the cause if an attempt fails as it explains', async () => {
    const { ways } = await look({ filters, connections: async () => tried('timeout', undefined, null) });
    expect(ways).toMatchObject([{ verdict: 'broken', cause: 'filter-drops' }]);
  });

  test('names no cause if connections work, whatever is suspect', async () => {
    const { ways } = await look({ filters });
    expect(ways).toMatchObject([{ verdict: 'works', cause: null }]);
    expect(ways[0]?.steps.filter(({ cause }) => cause !== null)).toEqual([]);
  });

  test('does not name a suspect that does not explain the failure', async () => {
    const { ways } = await look({
      filters,
      connections: async () => tried('timeout', ['ECONNREFUSED', 'connected']),
    });
    expect(ways).toMatchObject([{ cause: 'backend-refuses' }]);
  });

  test('leaves a suspect open for UDP, which has no handshake to try', async () => {
    const udp = vip({ protocol: 'udp' });
    const what = { desired: async () => desired({ vips: [udp] }) };
    expect((await look(what)).verdict).toBe('works');
    expect((await look({ ...what, filters })).verdict).toBe('unknown');
  });

  test('checks the kernel a second time before calling it broken, since a pass may just be writing it', async () => {
    const found = [{ service: null }, { service: inKernel(...vip().backends) }];
    let looks = 0;
    const kernel = async () => found[Math.min(looks++, 1)] ?? { service: null };
    expect((await look({ kernel })).verdict).toBe('works');
  });

  test('is unknown if something cannot be read', async () => {
    const kernel = async () => ({ error: 'not permitted', missing: false });
    expect(await look({ kernel })).toMatchObject({ verdict: 'unknown', ways: [{ cause: null }] });
  });

  test('is printed with evidence, fix and verdict', async () => {
    const text = whyText(await look({ kernel: async () => ({ service: null }) }), { paint: painter(false) });
    expect(text.split('\n')).toEqual([
      'tcp/11.0.0.1:80  web.marathon.l4lb.thisdcos.directory:80',
      '[+] name         declared by /group/web',
      '[+] dns          10.0.0.53 resolves web.marathon.l4lb.thisdcos.directory to 11.0.0.1',
      '[+] address      11.0.0.1, from the pool',
      '[+] backends     2 of 2 get new connections',
      '[-] kernel       the kernel has no service tcp/11.0.0.1:80',
      expect.stringMatching(/^ {17}fix: systemctl reload/),
      'Broken: the kernel lacks the service (service-missing)',
      '',
    ]);
  });
});

describe('names', () => {
  const named = { ...vip(), fqdn: 'web.marathon.l4lb.thisdcos.directory' };
  const verdict = (what: Partial<typeof NAMES>) => checkDns({ vip: named, names: { ...NAMES, ...what } });
  const answer = (server: string, error: string | null, ...addresses: readonly string[]) => ({
    server,
    error,
    addresses,
  });
  const servers = ['10.0.0.53', '198.51.100.4'];

  test.each([
    ['no server', { servers: [] }, 'no-name-server'],
    ['the hosts file', { hosts: ['11.0.0.9'] }, 'hosts-file'],
    ['silence', { answers: [answer('10.0.0.53', 'ETIMEOUT')] }, 'name-server-silent'],
    ['a failure', { answers: [answer('10.0.0.53', 'ESERVFAIL')] }, 'name-server-fails'],
    ['another address', { answers: [answer('10.0.0.53', null, '11.0.0.9')] }, 'wrong-address'],
    [
      'a server that does not know the zone comes before ours',
      { servers, answers: [answer('10.0.0.53', 'ENOTFOUND'), answer('198.51.100.4', null, '11.0.0.1')] },
      'name-not-known',
    ],
  ])('%s', (_what, fact, cause) => {
    expect(verdict(fact)).toMatchObject([{ state: 'broken', cause }]);
  });

  test('the second server decides if the first is silent', () => {
    const answers = [answer('10.0.0.53', 'ETIMEOUT'), answer('198.51.100.4', null, '11.0.0.1')];
    expect(verdict({ servers, answers })).toMatchObject([{ state: 'ok' }, { state: 'note' }]);
  });

  test('the hosts file takes precedence over name servers', () => {
    expect(verdict({ hosts: ['11.0.0.1'], servers: [] })).toMatchObject([{ state: 'ok' }]);
  });

  test('a client that cannot be entered leaves it unknown', () => {
    expect(checkDns({ vip: named, names: { error: 'not permitted' } })).toMatchObject([{ state: 'unknown' }]);
  });

  test('no server is queried for an address', async () => {
    const names = () => Promise.reject(new Error('asked'));
    expect((await look({ names }, '11.0.0.1:80')).verdict).toBe('works');
  });
});

test('a VIP whose backends belong to a family without a pool has no address', () => {
  expect(checkAddress({ vip: { ...vip(), address: null } })).toMatchObject([{ cause: 'no-address' }]);
});

describe('route and settings', () => {
  const verdict = (what: Partial<RouteFact>) =>
    checkRoute({ vip: vip(), desired: desired(), route: { ...ROUTE, ...what } });
  const leaves = { kind: 'leaves', interfaceName: 'eth0' } as const;

  test.each([
    [{ lookup: leaves, link: 'missing' }, 'interface-missing'],
    [{ lookup: leaves, link: 'down' }, 'interface-down'],
    [{ lookup: leaves }, 'route-missing'],
    [{ lookup: { kind: 'refused', why: 'no route' } }, 'route-refuses'],
  ] as const)('%j', (what, cause) => {
    expect(verdict(what)).toMatchObject([{ state: 'broken', cause }]);
  });

  test('settings are suspects', () => {
    expect(verdict({ ipForward: '0', conntrack: '0' })).toMatchObject([
      { state: 'ok' },
      { state: 'suspect', cause: 'forwarding-off' },
      { state: 'suspect', cause: 'conntrack-off' },
    ]);
  });

  test('an address that is delivered to this host needs no interface of the controller', () => {
    expect(verdict({ link: 'missing' })).toMatchObject([{ state: 'ok' }]);
  });
});

describe('limits', () => {
  test('a full table and backends at their limit are reported', () => {
    const service = inKernel(...[FIRST, SECOND].filter((each) => each !== undefined));
    const full = [...service.backends].map(
      ([key, each]) => [key, { ...each, upperThreshold: 4, activeConnections: 4 }] as const,
    );
    const kernel = { service: { ...service, backends: new Map(full) } };
    expect(checkLimits({ limits: LIMITS, kernel })).toMatchObject([
      { state: 'broken', cause: 'limit-reached' },
    ]);
    const limits = { ...LIMITS, conntrack: { count: 990, max: 1_000 } };
    expect(checkLimits({ limits, kernel: { service } })).toMatchObject([
      { state: 'suspect', cause: 'conntrack-full' },
    ]);
    expect(checkLimits({ limits: LIMITS, kernel: { service } })).toMatchObject([{ state: 'ok' }]);
  });
});

describe('connections', () => {
  const verdict = (connections: ConnectionsFact) => checkConnections({ vip: vip(), connections });

  test.each([
    ['a backend refuses', tried('ECONNREFUSED', ['ECONNREFUSED', 'connected']), 'backend-refuses'],
    ['a backend is silent', tried('timeout', ['connected', 'timeout']), 'backend-silent'],
    ['a backend is out of reach', tried('timeout', ['EHOSTUNREACH']), 'backend-unreachable'],
    ['the client has no port', tried('EADDRNOTAVAIL', undefined, null), 'ports-used-up'],
    ['the client has no route', tried('ENETUNREACH', undefined, null), 'client-unreachable'],
    ['the VIP refuses', tried('ECONNREFUSED', undefined, null), 'vip-refuses'],
    ['the answer is lost', tried('timeout', undefined, 'SYN_RECV'), 'no-answer'],
    ['packets do not arrive', tried('timeout', undefined, null), 'not-at-ipvs'],
    ['another one answers', tried('connected', undefined, null), 'answered-elsewhere'],
    [
      'another one answers, and an ended connection had a port of theirs',
      tried('connected', undefined, 'TIME_WAIT', 1),
      'answered-elsewhere',
    ],
  ])('%s', (_what, fact, cause) => {
    expect(verdict(fact)).toMatchObject([{ state: 'broken', cause }]);
  });

  test('a backend that answers only through the VIP is a note', () => {
    expect(verdict(tried('connected', ['timeout', 'connected']))).toMatchObject([
      { state: 'ok' },
      { state: 'note' },
    ]);
  });

  test('that could not be tried leave it unknown', () => {
    expect(verdict({ error: 'nsenter: not permitted' })).toMatchObject([{ state: 'unknown' }]);
  });
});
