import { closeSync, openSync, readlinkSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { NETLINK } from 'ipvs-netlink-ts/netlink';
import { RawNetlinkSocket } from 'netlink/dist/raw.js';
import { findSocketFd } from '../../ipvs/src/socket-fd.ts';

const BUFFERS = { recvBufferSize: 212_992, sendBufferSize: 212_992 };
const sockets: RawNetlinkSocket[] = [];

function openSocket(): RawNetlinkSocket {
  const socket = new RawNetlinkSocket(NETLINK.ROUTE, BUFFERS);
  sockets.push(socket);
  return socket;
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** What a descriptor refers to. */
function linkOf(fd: number | undefined): string {
  return fd === undefined ? 'none' : readlinkSync(`/proc/self/fd/${fd}`);
}

test('the descriptor of a netlink socket is found although one below it was closed meanwhile', () => {
  const below = [0, 1, 2].map(() => openSync('/dev/null', 'r'));
  const socket = openSocket();
  const { port } = socket.address();
  const found = findSocketFd(NETLINK.ROUTE, port);
  expect(linkOf(found)).toMatch(/^socket:/);
  for (const fd of below) closeSync(fd);
  expect(findSocketFd(NETLINK.ROUTE, port)).toBe(found);
});

test('a port that no netlink socket of this protocol has gives no descriptor', () => {
  const socket = openSocket();
  expect(findSocketFd(NETLINK.GENERIC, socket.address().port)).toBeUndefined();
  expect(findSocketFd(NETLINK.ROUTE, 0x7fff_fff1)).toBeUndefined();
});
