import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { type WantedTimeouts, withTimeouts } from '../../../controller/apply/timeouts.ts';
import { World } from '../../support/world.ts';

let root: string;
let client: IpvsClient;
let kernel: FakeKernel;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'timeouts-'));
  await mkdir(join(root, 'net/ipv4'), { recursive: true });
  kernel = new FakeKernel();
  client = await IpvsClient.open({ transport: kernel.transport() });
});
afterEach(async () => {
  client.close();
  await rm(root, { recursive: true });
});

async function ensure(wanted: WantedTimeouts, keepalive = '600\n') {
  await writeFile(join(root, 'net/ipv4/tcp_keepalive_time'), keepalive);
  return await withTimeouts(new World().reachability, client, wanted, root).ensure([]);
}

describe('timeouts of IPVS', () => {
  test('are left as they are unless someone asks for others', async () => {
    kernel.requests = [];
    expect(await ensure({})).toEqual({ changed: [], problems: [], advice: [] });
    expect(kernel.writes).toEqual([]);
  });

  test('are set one by one, told of, and put back when someone changes them', async () => {
    const changed = ['IPVS tcp timeout 900 s -> 7260 s', 'IPVS udp timeout 300 s -> 30 s'];
    expect((await ensure({ tcp: 7_260, udp: 30 })).changed).toEqual(changed);
    expect(await client.getTimeouts()).toEqual({ tcpSeconds: 7_260, tcpFinSeconds: 120, udpSeconds: 30 });
    expect((await ensure({ tcp: 7_260, udp: 30 })).changed).toEqual([]);
    await client.setTimeouts({ tcpSeconds: 5, tcpFinSeconds: 9 });
    expect((await ensure({ tcp: 7_260, udp: 30 })).changed).toEqual(['IPVS tcp timeout 5 s -> 7260 s']);
    expect(await client.getTimeouts()).toMatchObject({ tcpFinSeconds: 9 });
  });

  test('one that ends idle connections before their keepalive is advice, with both values and both remedies', async () => {
    expect((await ensure({}, '7200')).advice).toEqual([
      "the IPVS tcp timeout of 900 s is shorter than net.ipv4.tcp_keepalive_time of 7200 s, so an idle connection through a VIP ends before its keepalive; fix: run with --tcp-timeout 7260, or on every client: sysctl -w net.ipv4.tcp_keepalive_time=600 && mkdir -p /etc/sysctl.d && printf 'net.ipv4.tcp_keepalive_time = 600\\n' > /etc/sysctl.d/90-marathon-ipvs-tcp_keepalive_time.conf",
    ]);
    expect((await ensure({ tcp: 7_200 }, '7200')).advice).toEqual([]);
  });

  test('that cannot be written are advice, not a failure, and what else is needed is done', async () => {
    client.close();
    const world = new World();
    const report = await withTimeouts(world.reachability, client, { tcp: 60 }, root).ensure(['1.2.3.4']);
    expect(report).toMatchObject({
      changed: [],
      problems: [],
      advice: [expect.stringMatching(/^IPVS timeouts: /)],
    });
    expect(world.done()).toEqual(['reach 1.2.3.4']);
  });
});
