import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { IN_LAB, ipvsadm, shell } from '../support/host.ts';
import type { Answer, Failure, Peer } from '../support/peer.ts';
import { must } from '../support/shell.ts';
import { APPS, BACKENDS, type BackendName, GREEDY_APP, literalVip, TAKEN } from './apps.ts';
import {
  BRIDGE,
  type Cluster,
  CONTAINER_PORT,
  type Family,
  HOST,
  HOST_PORT,
  OTHER,
  ownerOf,
  PUBLISHED,
  startCluster,
  VIP_PORT,
} from './cluster.ts';

// Minutes, where other programs leave the emulated processors little.
const inLab = IN_LAB ? describe : describe.skip;

const FAMILIES = ['ipv4', 'ipv6'] as const;
const PROTOCOLS = ['tcp', 'udp'] as const;
const CLIENTS = ['host', 'client', 'remote'] as const;
const KINDS = FAMILIES.flatMap((family) => PROTOCOLS.map((protocol) => ({ family, protocol })));
/** No VIP has it, and the host listens there on all its addresses. */
const OPEN_PORT = 9_999;
const CLOSED_PORT = 9_998;

inLab('what surrounds the VIPs', () => {
  let cluster: Cluster;
  let named: string;

  beforeAll(async () => {
    // The kernel sends one host few ICMP errors in a row, and then one a second: that is not what is tested.
    await shell('sysctl -q -w net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0');
    cluster = await startCluster([...APPS, GREEDY_APP]);
    await cluster.peers.host.serve({ name: 'the host itself', address: '::', port: OPEN_PORT });
    named = (
      await must(['dig', '+short', '@198.51.100.4', 'other.marathon.l4lb.thisdcos.directory', 'A'])
    ).trim();
  });
  afterAll(async () => {
    await cluster?.close();
  });

  /** What each client gets from each backend's IP VIPs: `host own ipv4 tcp: own sees the host`. */
  async function asked(clients: readonly (typeof CLIENTS)[number][]): Promise<readonly string[]> {
    const lines = await Promise.all(
      clients.map(async (client) => {
        const cells = BACKENDS.flatMap((backend) => KINDS.map((kind) => ({ backend, ...kind })));
        const answers = await cluster.peers[client].askAll(cells.map(question));
        return cells.map(({ backend, family, protocol }, index) => {
          return `${client} ${backend} ${family} ${protocol}: ${outcome(answers[index])}`;
        });
      }),
    );
    return lines.flat();
  }
  const all = (
    clients: readonly (typeof CLIENTS)[number][],
    what = (backend: BackendName): string => backend,
  ) =>
    clients.flatMap((client) =>
      BACKENDS.flatMap((backend) =>
        KINDS.map(({ family, protocol }) => `${client} ${backend} ${family} ${protocol}: ${what(backend)}`),
      ),
    );

  test.each(['published', 'own'] as const)(
    'a container reaches itself through its own VIP, by way of the host (%s)',
    async (name) => {
      const answers = await cluster.peers[name].askAll(
        KINDS.map((kind) => question({ backend: name, ...kind })),
      );
      expect(answers.map(outcome)).toEqual(KINDS.map(() => name));
      for (const answer of answers) expect(ownerOf(clientOf(answer))).toMatch(/^the host/);
    },
  );

  test.each(CLIENTS)(
    'other ports of a VIP address refuse at once, whatever the host listens on (%s)',
    async (client) => {
      for (const { family, protocol } of KINDS) {
        for (const address of [literalVip('own', family), ...(family === 'ipv4' ? [named] : [])]) {
          for (const port of [OPEN_PORT, CLOSED_PORT]) {
            const question = { protocol, address, port };
            expect({ question, answer: await atOnce(cluster.peers[client], question) }).toEqual({
              question,
              answer: { error: 'ECONNREFUSED', ms: expect.any(Number) },
            });
          }
        }
        // The server is there: what was refused is not refused everywhere.
        const nearest = client === 'client' ? BRIDGE : HOST; // the address from which the host answers that client
        const direct = { protocol, address: nearest[family], port: OPEN_PORT };
        expect(outcome(await cluster.peers[client].ask(direct))).toBe('the host itself');
      }
    },
  );

  test('a direct connection and one through a VIP may have the same source port at the same time', async () => {
    const common = { protocol: 'tcp', localPort: 40_000, waitMs: 3_000 } as const;
    for (const family of FAMILIES) {
      const outcomes = await Promise.all([
        cluster.peers.host.ask({ ...common, address: OTHER[family], port: HOST_PORT }),
        cluster.peers.host.ask({ ...common, address: literalVip('other', family), port: VIP_PORT }),
      ]);
      expect(outcomes.map(outcome)).toEqual(['other', 'other']);
    }
  });

  test('an IP VIP equal to an address of this host or of an agent is refused with the reason, and not made', async () => {
    const { rejected } = JSON.parse((await cluster.controller.get('/v1/diff')).body);
    expect(rejected).toMatchObject(
      TAKEN.map((address, index) => ({
        app: '/greedy',
        at: `container.portMappings[0].labels.VIP_${index}`,
        value: `${address}:${VIP_PORT}`,
        reason: Object.values(BRIDGE).includes(address)
          ? 'this host has it on docker0'
          : 'it is the address of an agent',
      })),
    );
    const services = (await ipvsadm()).filter((line) => line.startsWith('-A')).join('\n');
    const routes = await shell('ip route show table local dev vip0; ip -6 route show table local dev vip0');
    for (const address of TAKEN) {
      expect(services).not.toContain(address.includes(':') ? `[${address}]:` : `${address}:`);
      expect(routes).not.toContain(`local ${address} `);
    }
  });

  test('a host port that a container runtime publishes on all addresses does not take the same port of a VIP', async () => {
    for (const [family, table, target] of [
      ['ipv4', 'ip', PUBLISHED.ipv4],
      ['ipv6', 'ip6', `[${PUBLISHED.ipv6}]`],
    ] as const) {
      for (const protocol of PROTOCOLS) {
        await shell(
          `nft add rule ${table} runtime ports ${protocol} dport ${VIP_PORT} dnat to ${target}:${CONTAINER_PORT}`,
        );
      }
      const direct = { protocol: 'tcp', address: HOST[family], port: VIP_PORT } as const;
      expect(outcome(await cluster.peers.remote.ask(direct))).toBe('published');
    }
    expect(await asked(CLIENTS)).toEqual(all(CLIENTS));
  });

  test('a container runtime that forwards for its containers alone drops the way back from other hosts to others', async () => {
    const asking = { protocol: 'tcp', address: literalVip('other', 'ipv4'), port: VIP_PORT } as const;
    expect(outcome(await cluster.peers.remote.ask(asking))).toBe('other');
    await shell('nft flush chain ip runtime user');
    expect(outcome(await cluster.peers.remote.ask({ ...asking, timeoutMs: 5_000 }))).toBe('no answer');
    await shell('nft add rule ip runtime user ct state established,related accept');
    expect(outcome(await cluster.peers.remote.ask(asking))).toBe('other');
  });

  describe('a firewall of the operator, in its own table, that drops by default', () => {
    const VIPS = 'ip daddr { 11.0.0.0/8, 10.98.0.0/24 } accept; ip6 daddr { fd01:c::/64, fd98::/64 } accept';
    const firewall = (admitted: string) => `
      table inet firewall {
        chain input {
          type filter hook input priority 0; policy drop;
          iifname lo accept
          ct state established,related accept
          icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
          ${admitted}
        }
        chain forward {
          type filter hook forward priority 0; policy drop;
          ct state established,related accept
        }
      }`;
    const raise = (admitted: string) =>
      must(['nft', '-f', '-'], `table inet firewall\ndelete table inet firewall\n${firewall(admitted)}`);
    const OUTSIDE = ['client', 'remote'] as const;

    test('lets all VIPs through once its input chain accepts their addresses; its forward chain needs nothing more', async () => {
      await raise(VIPS);
      expect(await asked(CLIENTS)).toEqual(all(CLIENTS));
    });

    test.each(['', 'ct status dnat accept'])(
      'without that, and with "%s" instead, only clients on this host get through',
      async (admitted) => {
        await raise(admitted);
        expect(await asked(['host'])).toEqual(all(['host']));
        for (const client of OUTSIDE) {
          const one = { ...question({ backend: 'own', family: 'ipv4', protocol: 'tcp' }), timeoutMs: 5_000 };
          expect(outcome(await cluster.peers[client].ask(one))).toBe('no answer');
        }
      },
    );
  });
});

function question(cell: {
  readonly backend: BackendName;
  readonly family: Family;
  readonly protocol: 'tcp' | 'udp';
}) {
  return { protocol: cell.protocol, address: literalVip(cell.backend, cell.family), port: VIP_PORT };
}

/** Who answered, or what came instead. */
function outcome(result: Answer | Failure | undefined): string {
  if (result === undefined) return 'not asked';
  return 'error' in result ? result.error : result.backend;
}

function clientOf(result: Answer | Failure): string {
  return 'error' in result ? result.error : result.client;
}

/**
 * What came within a second, in one of six attempts: the machine may be busy.
 */
async function atOnce(
  peer: Peer,
  asking: { readonly protocol: 'tcp' | 'udp'; readonly address: string; readonly port: number },
): Promise<Answer | Failure> {
  let result: Answer | Failure = { error: 'not asked', ms: 0 };
  for (let attempt = 1; attempt <= 6; attempt++) {
    result = await peer.ask(asking);
    if ('backend' in result || result.ms < 1_000) return result;
  }
  return { ...result, error: `${result.error}, but never within a second` };
}
