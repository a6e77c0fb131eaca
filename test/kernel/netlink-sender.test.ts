import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { IpvsClient, netlinkTransport } from 'ipvs-netlink-ts';
import { NETLINK, NLM_F, NLMSG, openNetlink } from 'ipvs-netlink-ts/netlink';
import { RawNetlinkSocket } from 'netlink/dist/raw.js';
import { message } from '../../ipvs/src/message.ts';
import { failure, ipvsadm, onKernel, web } from './ipvs-kernel.ts';

const RTM_GETLINK = 18;
const anyLink = new Uint8Array(16);
const BUFFERS = { recvBufferSize: 212_992, sendBufferSize: 212_992 };

/** The ports of all netlink sockets of this process: columns of /proc/net/netlink are sk Eth Pid. */
function ports(protocol: number): readonly number[] {
  const rows = readFileSync('/proc/self/net/netlink', 'utf8').split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, eth, port]) => Number(eth) === protocol && (Number(port) & 0x3f_ffff) === process.pid)
    .map(([, , port]) => Number(port));
}

/**
 * What another program of this host may send, there before this returns: refusals and ends of dumps with the numbers of
 * the next requests of one that counts from 1, and bytes that are no message.
 */
function forge(protocol: number): void {
  const refused = (seq: number) => message(NLMSG.ERROR, 0, seq, Uint8Array.of(0xff, 0xff, 0xff, 0xff));
  const ended = (seq: number) => message(NLMSG.DONE, NLM_F.MULTI, seq, new Uint8Array(4));
  const numbers = Array.from({ length: 40 }, (_, index) => 1 + index);
  const datagrams = [
    numbers.map(refused),
    numbers.map(ended),
    [Uint8Array.of(1)],
    [new Uint8Array(16).fill(0xff)],
  ];
  for (const port of ports(protocol)) {
    for (const datagram of datagrams) {
      // Only the first send of a socket of the package is carried out at once.
      const forger = new RawNetlinkSocket(protocol, BUFFERS);
      forger.send(Buffer.concat(datagram), { port });
      forger.close();
    }
  }
}

onKernel.each([
  ['read at once', true],
  ['read by the package', false],
])('what another process sends to a netlink socket answers nothing, replies %s', (_, immediate) => {
  const transport = () => netlinkTransport({ immediate });
  let client: IpvsClient;

  beforeAll(async () => {
    client = await IpvsClient.open({ transport: transport() });
    await client.flush();
    await client.addService(web);
  });
  afterAll(async () => {
    await client.flush();
    client.close();
  });

  test('the table is read as it is', async () => {
    forge(NETLINK.GENERIC);
    expect(await client.listServices()).toHaveLength(1);
  });

  test('a change is made, and the kernel alone says whether', async () => {
    forge(NETLINK.GENERIC);
    expect(await failure(client.addService({ ...web, port: 81 }))).toBe('no error');
    forge(NETLINK.GENERIC);
    expect(await failure(client.addService(web))).toMatch(/^exists /);
    expect(ipvsadm('-Sn').trim().split('\n')).toHaveLength(2);
  });

  test('links are read as they are', async () => {
    const socket = openNetlink(NETLINK.ROUTE, { transport: transport() });
    const before = await socket.request(RTM_GETLINK, NLM_F.DUMP, anyLink);
    forge(NETLINK.ROUTE);
    expect(await socket.request(RTM_GETLINK, NLM_F.DUMP, anyLink)).toHaveLength(before.length);
    socket.close();
  });
});
