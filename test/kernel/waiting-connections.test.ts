import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { release } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isBefore, kernelVersion } from '../../controller/apply/kernel-version.ts';
import { createWaitingConnections } from '../../controller/eject/waiting-connections.ts';
import { IN_LAB, shell } from '../support/host.ts';

const inLab = IN_LAB ? describe : describe.skip;
/** Linux 5.15; before, connection tracking gives everything, whatever is asked for. */
const VERSION = kernelVersion(release());
const KNOWS_FILTER = VERSION !== null && !isBefore(VERSION, [5, 15]);
const CONNTRACK = '/proc/sys/net/ipv4/vs/conntrack';

/** VIPs whose backends nobody answers for; with FTP services the kernel tracks connections without a packet filter. */
const SET_UP = `
  ip link add nowhere type dummy
  ip link set nowhere up
  ip address add 10.9.0.1/24 dev nowhere
  ip address add 10.96.4.7/32 dev nowhere
  ip address add fd09::1/64 dev nowhere nodad
  ip address add fd96::7/128 dev nowhere nodad
  ip neighbour add 10.9.0.9 lladdr 02:00:00:00:00:09 dev nowhere
  ip neighbour add fd09::9 lladdr 02:00:00:00:00:09 dev nowhere
  for port in 80 21; do
    ipvsadm -A -t 10.96.4.7:$port -s wlc
    ipvsadm -a -t 10.96.4.7:$port -r 10.9.0.9:8080 -m
    ipvsadm -A -t [fd96::7]:$port -s wlc
    ipvsadm -a -t [fd96::7]:$port -r [fd09::9]:8080 -m
  done`;
const TAKE_DOWN = `
  ip link delete nowhere
  for port in 80 21; do ipvsadm -D -t 10.96.4.7:$port; ipvsadm -D -t [fd96::7]:$port; done`;

inLab('connection tracking', () => {
  let before: string;
  beforeAll(async () => {
    await shell(SET_UP);
    before = await readFile(CONNTRACK, 'utf8');
    await shell(`echo 1 >${CONNTRACK}`);
  });
  afterAll(async () => {
    await shell(`echo ${before.trim()} >${CONNTRACK}`);
    await shell(TAKE_DOWN);
  });

  test('names the connections that wait for an answer, and no others, as the table of IPVS names them', async () => {
    const server = createServer((_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(8080, resolve));
    await shell('curl -sS -m 30 http://10.9.0.1:8080/');
    for (const vip of ['10.96.4.7', '[fd96::7]']) await shell(`curl -s -m 1 http://${vip}/ || true`);
    const table = await readFile('/proc/net/ip_vs_conn', 'utf8');
    const wait = table.match(/^TCP .*(?= SYN_RECV)/gm) ?? [];
    expect(wait).toHaveLength(2);

    const waiting = createWaitingConnections();
    const told = await waiting.read(wait.length);
    expect(told?.toSorted() ?? null).toEqual(KNOWS_FILTER ? wait.toSorted() : null);
    // Far fewer than IPVS has: what it has is not tracked.
    expect(await waiting.read(100_000)).toBeNull();
    waiting.close();
    server.close();
  });
});
