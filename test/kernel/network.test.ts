import { createServer } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { IN_LAB, shell } from '../support/host.ts';
import { createNetwork, type Topology } from '../support/network.ts';

const inLab = IN_LAB ? describe : describe.skip;

const CLUSTER: Topology = {
  here: {
    bridges: { agents: ['10.9.0.1/24', 'fd09::1/64'] },
    dummies: { spare: ['10.7.0.1/32'] },
    routes: ['172.17.0.0/16 via 10.9.0.2', 'fd17::/64 via fd09::2'],
  },
  namespaces: {
    agent2: {
      on: 'agents',
      addresses: ['10.9.0.2/24', 'fd09::2/64'],
      bridges: { containers: ['172.17.0.1/16', 'fd17::1/64'] },
      routes: ['default via 10.9.0.1'],
      forwards: true,
    },
    container: {
      in: 'agent2',
      on: 'containers',
      addresses: ['172.17.0.2/16', 'fd17::2/64'],
      routes: ['default via 172.17.0.1', 'default via fd17::1'],
    },
    client: { on: ['10.8.0.1/24'], addresses: ['10.8.0.2/24'] },
  },
};

inLab('a network that is made for a test', () => {
  test('carries packets between all that was described, by IPv4 and IPv6, and leaves nothing behind', async () => {
    const before = await shell('ip -br link; ip netns; ip route; ip -6 route');
    const network = await createNetwork(CLUSTER);
    const server = createServer((request, response) => response.end(request.socket.remoteAddress));
    await new Promise<void>((resolve) => server.listen(8080, resolve));
    /** The source address with which that namespace comes to us. */
    const seen = (from: string, at: string) =>
      shell(`ip netns exec ${from} curl -sS -m 10 http://${at}:8080/`);
    expect(await seen('client', '10.8.0.1')).toBe('::ffff:10.8.0.2');
    expect(await seen('agent2', '[fd09::1]')).toBe('fd09::2');
    expect(await seen('container', '10.9.0.1')).toBe('::ffff:172.17.0.2');
    expect(await seen('container', '[fd09::1]')).toBe('fd17::2');
    expect(await shell('ip -br address show dev spare')).toMatch('10.7.0.1/32');

    server.close();
    await network.remove();
    expect(await shell('ip -br link; ip netns; ip route; ip -6 route')).toBe(before);
  });

  test('is not there at all when a part of it cannot be made', async () => {
    const before = await shell('ip -br link; ip netns');
    const { client } = CLUSTER.namespaces ?? {};
    const wrong = { ...CLUSTER, namespaces: { ...CLUSTER.namespaces, late: { ...client, on: 'nowhere' } } };
    await expect(createNetwork(wrong as Topology)).rejects.toThrow('nowhere');
    expect(await shell('ip -br link; ip netns')).toBe(before);
  });
});
