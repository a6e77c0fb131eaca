import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { causes } from '../../controller/why/causes.ts';
import { type WhyDocument, whyDocument } from '../../controller/why/document.ts';
import { command, eventually, IN_LAB, shell, TestHost } from '../support/host.ts';
import { LAUNCHER } from '../support/program.ts';
import {
  type Breakage,
  BY_RULE_ALONE,
  CONTAINERS,
  DECLARED,
  FILTERS,
  HEALTHY,
  NAMES,
  RESTORE,
  ROUTES,
  TABLE,
  TRAFFIC,
} from './why-breakages.ts';
import { NameServers, SERVERS } from './why-name-servers.ts';
import { WhyProcess } from './why-process.ts';

const inLab = IN_LAB ? describe : describe.skip;

interface TaskGiven {
  readonly port: number;
  readonly state?: string;
  readonly alive?: boolean;
}

/** An app of which each task listens on this host. */
function app(
  id: string,
  label: string,
  tasks: readonly TaskGiven[],
  more: Record<string, string> = {},
  protocol = 'tcp',
) {
  const checked = tasks.some(({ alive }) => alive !== undefined) || id === '/young';
  return {
    id,
    portDefinitions: [{ protocol, port: 0, labels: { VIP_0: label, ...more } }],
    ...(checked && { healthChecks: [{ protocol: 'MESOS_TCP', portIndex: 0 }] }),
    tasks: tasks.map(({ port, state = 'TASK_RUNNING', alive }) => ({
      id: `${id.slice(1)}.${port}`,
      host: '10.9.0.1',
      ports: [port],
      state,
      startedAt: '2026-01-01T00:00:00.000Z',
      ...(alive !== undefined && { healthCheckResults: [{ alive }] }),
    })),
  };
}

/** The same app with all of its tasks on another agent. */
function on(agent: string, { tasks, ...rest }: ReturnType<typeof app>) {
  return { ...rest, tasks: tasks.map((task) => ({ ...task, host: agent })) };
}

const APPS = [
  app('/my-service', '/my-service:5555', [{ port: 31000 }, { port: 31001 }]),
  app('/literal', '192.168.77.7:80', [{ port: 31000 }]),
  app('/same-port', '/same-port:31000', [{ port: 31000 }]),
  app('/deaf', '/deaf:80', [{ port: 31005 }]),
  app('/half-deaf', '/half-deaf:80', [{ port: 31000 }, { port: 31005 }]),
  on('10.9.0.77', app('/gone', '/gone:80', [{ port: 31000 }])),
  on('172.31.0.1', app('/far', '/far:80', [{ port: 31000 }])),
  app('/half-sick', '/half-sick:80', [
    { port: 31000, alive: true },
    { port: 31001, alive: false },
  ]),
  app('/sticky', '/sticky:80', [{ port: 31000 }, { port: 31001 }], {
    IPVS_PERSISTENCE_SECONDS: '60',
    IPVS_SCHEDULER: 'sh',
  }),
  on('fd09::1', app('/six', 'fd00:8::7:80', [{ port: 31000 }])),
  app('/names', '/names:53', [{ port: 31000 }], {}, 'udp'),
  app('/roomy', '192.168.77.10:80', [{ port: 31000 }], { IPVS_MAX_CONNECTIONS: '100' }),
  on('10.6.0.2', app('/remote', '192.168.77.9:80', [{ port: 31000 }])),
  app('/limited', '192.168.77.8:80', [{ port: 31000 }], { IPVS_MAX_CONNECTIONS: '2' }),
  app('/idle', '/idle:80', []),
  app('/bad', 'nocolon', []),
  { ...app('/malformed', '/malformed:80', []), portDefinitions: 'http' },
  app('/sick', '/sick:80', [{ port: 31000, alive: false }]),
  app('/young', '/young:80', [{ port: 31000 }]),
  app('/resting', '/resting:80', [{ port: 31000 }], { IPVS_WEIGHT: '0' }),
  app('/ending', '/ending:80', [{ port: 31000, state: 'TASK_KILLING' }]),
];

/** Where tasks listen on this host. */
const SERVED = [
  ['10.9.0.1', 31000],
  ['10.9.0.1', 31001],
  ['fd09::1', 31000],
] as const;

const SERVER = "require('node:http').createServer((_, response) => response.end('elsewhere')).listen(31000)";
/** A container behind this host, and another host that has a backend. */
const CONTAINERS_NETWORK = [
  ...(['client 10.8.0', 'remote 10.6.0'] as const).map((each) => {
    const [name, net] = each.split(' ');
    return `ip netns add ${name} && ip link add to-${name} type veth peer name eth0 netns ${name} && ip addr add ${net}.1/24 dev to-${name} && ip link set to-${name} up && ip -n ${name} link set lo up && ip -n ${name} addr add ${net}.2/24 dev eth0 && ip -n ${name} link set eth0 up && ip -n ${name} route add default via ${net}.1`;
  }),
].join(' && ');

inLab('why, on a real kernel', () => {
  let host: TestHost;
  const servers: Server[] = [];
  let remote: ChildProcess | undefined;
  let names: NameServers | undefined;
  let walking: WhyProcess;

  beforeAll(async () => {
    await shell(
      'ip link add agent type dummy && ip addr add 10.9.0.1/24 dev agent && ip addr add fd09::1/64 dev agent nodad && ip link set agent up',
    );
    for (const [address, port] of SERVED) {
      const server = createServer((_request, response) => response.end(`${port}\n`));
      await new Promise<void>((resolve) => server.listen(port, address, resolve));
      servers.push(server);
    }
    host = await TestHost.open();
    await writeFile(host.path('apps.json'), JSON.stringify({ apps: APPS }));
    // The lab's own are not changed.
    for (const name of ['resolv.conf', 'hosts']) {
      await writeFile(host.path(name), '');
      await shell(`mount --bind ${host.path(name)} /etc/${name}`);
    }
    // A host that takes what is sent to it and says nothing.
    await shell('ip neigh add 10.9.0.77 lladdr 02:00:00:00:00:77 dev agent nud permanent');
    await restore();
    await shell(CONTAINERS_NETWORK);
    remote = spawn('ip', ['netns', 'exec', 'remote', process.execPath, '-e', SERVER], { stdio: 'ignore' });
    await eventually(
      async () => shell('curl -s -m 5 http://10.6.0.2:31000/'),
      'the backend elsewhere answers',
    );
    names = await NameServers.start(await addresses());
    walking = new WhyProcess();
  });
  afterAll(async () => {
    await walking?.end();
    names?.close();
    remote?.kill();
    await shell('ip netns del client; ip netns del remote');
    for (const server of servers) server.close();
    await shell('umount /etc/resolv.conf; umount /etc/hosts');
    await host.close();
    await shell('ip link del agent');
  });

  /** Of every name that has a service. */
  async function addresses(): Promise<Map<string, string>> {
    const { stdout } = await host.marathonIpvs('diff', '-o', 'json', ...options());
    const { services } = JSON.parse(stdout) as { services: { fqdn: string | null; address: string }[] };
    return new Map(
      services.flatMap(({ fqdn, address }) => (fqdn === null ? [] : [[fqdn, address] as const])),
    );
  }

  const options = () => [
    ...host.places(),
    ...['--source', `file=${host.path('apps.json')}`, '--dns-listen', 'off'],
  ];

  /** The client's files are as this says. */
  async function writeFiles({ resolv, hosts = '127.0.0.1 localhost' }: Partial<Breakage>): Promise<void> {
    await writeFile(host.path('resolv.conf'), `${resolv ?? `nameserver ${SERVERS.knowing}`}\n`);
    await writeFile(host.path('hosts'), `${hosts}\n`);
  }

  /** What the command would print, without starting it. */
  async function why(asked: string, breakage: Partial<Breakage> = {}): Promise<WhyDocument> {
    await writeFiles(breakage);
    return await walking.ask(asked, [...options(), ...(breakage.options ?? [])]);
  }

  async function namesTheCause(breakage: Breakage) {
    const { cause, ask = 'my-service', breaks = 'true', mends = 'true', proof } = breakage;
    await shell(breaks);
    try {
      const { verdict, ways } = await why(ask, breakage);
      const [way] = ways;
      expect({ verdict, cause: way?.cause, steps: way?.steps }).toMatchObject({ verdict: 'broken', cause });
      const step = way?.steps.find((each) => each.state === 'broken' && each.cause === cause);
      expect(step?.fix).toEqual(expect.any(String));
      expect(step?.found).toMatch(proof ?? /./);
    } finally {
      if (mends === RESTORE) await restore();
      else await shell(mends);
    }
  }

  async function restore(): Promise<void> {
    await shell('ip route del default 2>/dev/null || true');
    const { status, stderr } = await host.marathonIpvs('run', '--once', ...options());
    if (status !== 0) throw new Error(stderr);
  }

  test('every cause is seeded here, or known to be tested by its rule alone', () => {
    const seeded = [DECLARED, NAMES, TRAFFIC, CONTAINERS, FILTERS, ROUTES, TABLE]
      .flat()
      .map(({ cause }) => cause);
    expect([...new Set([...seeded, ...BY_RULE_ALONE])].sort()).toEqual([...causes].sort());
  });

  test.each([
    { asked: 'my-service', verdict: 'works', expected: 0 },
    { asked: 'my-servise:5555', verdict: 'broken', expected: 1 },
  ])('the command prints the same, and ends with $expected where it $verdict', async (told) => {
    await writeFiles({});
    const { status, stdout, stderr } = await command(LAUNCHER, 'why', told.asked, '-o', 'json', ...options());
    if (stdout === '') throw new Error(stderr);
    const printed = whyDocument.parse(JSON.parse(stdout));
    const cause = printed.ways[0]?.cause;
    expect({ status, verdict: printed.verdict }).toEqual({ status: told.expected, verdict: told.verdict });
    expect((await why(told.asked)).ways[0]?.cause).toBe(cause);
  });

  test.each(HEALTHY)('no cause is named where connections work: $by', async (healthy) => {
    const { ask = 'my-service', breaks = 'true', mends = 'true' } = healthy;
    await shell(breaks);
    try {
      const { verdict, ways } = await why(ask, healthy);
      const named = ways.flatMap(({ steps }) => steps.filter(({ cause }) => cause !== null));
      expect({ verdict, named }).toEqual({ verdict: 'works', named: [] });
    } finally {
      if (mends === RESTORE) await restore();
      else await shell(mends);
    }
  });

  test.each(DECLARED)('$cause: $by', namesTheCause);
  test.each(NAMES)('$cause: $by', namesTheCause);
  test.each(TRAFFIC)('$cause: $by', namesTheCause);
  test.each(CONTAINERS)('$cause: $by', namesTheCause);
  test.each(FILTERS)('$cause: $by', namesTheCause);
  test.each(ROUTES)('$cause: $by', namesTheCause);
  test.each(TABLE)('$cause: $by', namesTheCause);
});
