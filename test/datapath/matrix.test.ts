import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { IN_LAB, ipvsadm } from '../support/host.ts';
import type { Answer, Failure } from '../support/peer.ts';
import { must } from '../support/shell.ts';
import { APPS, BACKENDS, type BackendName, IMPOSSIBLE, literalVip } from './apps.ts';
import { type Cluster, type Family, ownerOf, startCluster, VIP_PORT } from './cluster.ts';

// Minutes, where other programs leave the emulated processors little.
const inLab = IN_LAB ? describe : describe.skip;

const CLIENTS = ['host', 'client', 'remote'] as const;
type ClientName = (typeof CLIENTS)[number];

interface Cell {
  readonly client: ClientName;
  readonly backend: BackendName;
  readonly vip: 'named' | 'IP';
  readonly family: Family;
  readonly protocol: 'tcp' | 'udp';
}

const COLUMNS = (['named', 'IP'] as const).flatMap((vip) =>
  (['ipv4', 'ipv6'] as const).flatMap((family) =>
    (['tcp', 'udp'] as const).map((protocol) => ({ vip, family, protocol })),
  ),
);
const CELLS: readonly Cell[] = CLIENTS.flatMap((client) =>
  BACKENDS.flatMap((backend) => COLUMNS.map((column) => ({ client, backend, ...column }))),
);

const CLIENT_TITLES: Record<ClientName, string> = {
  host: 'this host',
  client: 'container of this host',
  remote: 'remote host',
};
const BACKEND_TITLES: Record<BackendName, string> = {
  host: 'this host, host network',
  published: 'container of this host, host port',
  own: 'container of this host, its own address',
  other: 'another host',
};

/**
 * Whose address a backend sees: the client's own, unless the reply would then not come back through this host, since a
 * neighbour of the client would answer it directly. What leaves a container's network is masqueraded by its runtime.
 */
const SEEN: Record<ClientName, Record<BackendName, 'the client' | 'this host'>> = {
  host: { host: 'this host', published: 'this host', own: 'this host', other: 'this host' },
  client: { host: 'the client', published: 'this host', own: 'this host', other: 'this host' },
  remote: { host: 'the client', published: 'the client', own: 'the client', other: 'this host' },
};

const ROWS = CLIENTS.flatMap((client) =>
  BACKENDS.map((backend) => ({
    client,
    backend,
    from: CLIENT_TITLES[client],
    to: BACKEND_TITLES[backend],
    seen: SEEN[client][backend],
  })),
);

const NOT_ASKED: Failure = { error: 'not asked', ms: 0 };

const titleOf = ({ vip, family, protocol }: Pick<Cell, 'vip' | 'family' | 'protocol'>) =>
  `${vip} ${family === 'ipv4' ? 'IPv4' : 'IPv6'} ${protocol.toUpperCase()}`;

inLab('every client reaches every backend', () => {
  let cluster: Cluster;
  const vips = new Map<string, string>();
  const outcomes = new Map<Cell, Answer | Failure>();

  const addressOf = ({ backend, vip, family }: Pick<Cell, 'backend' | 'vip' | 'family'>) =>
    vip === 'IP' ? literalVip(backend, family) : (vips.get(`${backend} ${family}`) ?? 'not resolved');

  beforeAll(async () => {
    cluster = await startCluster(APPS);
    for (const backend of BACKENDS) {
      const name = `${backend}.marathon.l4lb.thisdcos.directory`;
      const dig = ['dig', '+short', '@198.51.100.4', name, 'A', name, 'AAAA'];
      for (const address of (await must(dig)).trim().split('\n')) {
        vips.set(`${backend} ${address.includes(':') ? 'ipv6' : 'ipv4'}`, address);
      }
    }
    await Promise.all(
      CLIENTS.map(async (client) => {
        const cells = CELLS.filter((cell) => cell.client === client);
        const questions = cells.map((cell) => ({
          protocol: cell.protocol,
          address: addressOf(cell),
          port: VIP_PORT,
        }));
        const answers = await cluster.peers[client].askAll(questions);
        for (const [index, cell] of cells.entries()) outcomes.set(cell, answers[index] ?? NOT_ASKED);
      }),
    );
    process.stderr.write(`${table(outcomes)}\n`);
  });
  afterAll(async () => {
    await cluster?.close();
  });

  test.each(ROWS)('$from to $to, which sees $seen', ({ client, backend, seen }) => {
    const cells = CELLS.filter((cell) => cell.client === client && cell.backend === backend);
    expect(cells).toHaveLength(COLUMNS.length);
    expect(Object.fromEntries(cells.map((cell) => [titleOf(cell), told(cell, outcomes.get(cell))]))).toEqual(
      Object.fromEntries(cells.map((cell) => [titleOf(cell), seen])),
    );
  });

  test.each(['client', 'remote'] as const)(
    'curl and dig see the same as our own program, from %s',
    async (client) => {
      for (const family of ['ipv4', 'ipv6'] as const) {
        const address = addressOf({ backend: 'own', vip: 'named', family });
        const inside = ['ip', 'netns', 'exec', client];
        const url = `http://${family === 'ipv6' ? `[${address}]` : address}:${VIP_PORT}/`;
        expect(JSON.parse(await must([...inside, 'curl', '-sS', '-m', '20', url]))).toMatchObject({
          backend: 'own',
        });
        const dig = ['dig', '+short', '+notcp', `@${address}`, '-p', String(VIP_PORT), 'who', 'TXT'];
        expect(await must([...inside, ...dig])).toContain('own');
      }
    },
  );

  test.each(IMPOSSIBLE)(
    'a VIP $vip over a host port of an agent with an $agent address alone is not made, and a warning says why',
    async ({ app, vip, agent }) => {
      const { warnings, services } = JSON.parse((await cluster.controller.get('/v1/diff')).body);
      const wanted = agent === 'ipv4' ? 'IPv6' : 'IPv4';
      expect(warnings).toContainEqual(
        expect.stringMatching(
          new RegExp(`^${app} .*takes only ${wanted} backends, and its tasks have other`),
        ),
      );
      expect(services.map(({ address }: { address: string }) => address)).not.toContain(vip);
      expect((await ipvsadm()).join('\n')).not.toContain(vip);
    },
  );
});

/** The matrix as text: whose address each backend saw, or what the client got instead. */
function table(outcomes: ReadonlyMap<Cell, Answer | Failure>): string {
  const rows = ROWS.map(({ client, backend, from, to }) => {
    const cells = CELLS.filter((cell) => cell.client === client && cell.backend === backend);
    return [from, to, ...cells.map((cell) => told(cell, outcomes.get(cell)))];
  });
  const lines = [['client', 'backend', ...COLUMNS.map(titleOf)], ...rows];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => line.map((text, column) => text.padEnd(widths?.[column] ?? 0)).join('  '))
    .join('\n');
}

/** Whose address the right backend saw; the error, or the wrong backend, otherwise. */
function told({ client, backend }: Cell, outcome: Answer | Failure = NOT_ASKED): string {
  if ('error' in outcome) return outcome.error;
  if (outcome.backend !== backend) return `from ${outcome.backend}`;
  const owner = ownerOf(outcome.client);
  if (owner.startsWith('the host')) return 'this host';
  return owner === client ? 'the client' : owner;
}
