import { describe, expect, test } from '@jest/globals';
import { netlinkTransport } from 'ipvs-netlink-ts';
import { attrTable, cstring, isIpvsError, NETLINK, NLM_F, openNetlink } from 'ipvs-netlink-ts/netlink';

// rtnetlink of this host's own kernel: reading links needs no privilege and changes nothing.
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const linkAttrs = attrTable('link', { name: { type: 3, codec: cstring } });
const anyLink = new Uint8Array(16);

describe.each([
  ['read at once', true],
  ['read by the package', false],
])('plain netlink, replies %s', (_, immediate) => {
  const open = () => openNetlink(NETLINK.ROUTE, { transport: netlinkTransport({ immediate }) });

  test('a dump resolves with the payload of every reply', async () => {
    const socket = open();
    const links = await socket.request(RTM_GETLINK, NLM_F.DUMP, anyLink);
    expect(links.map((bytes) => linkAttrs.read(bytes.subarray(16)).name)).toContain('lo');
    socket.close();
  });

  test('two dumps at the same time do not mix', async () => {
    const socket = open();
    const [first, second] = await Promise.all(
      [1, 2].map(() => socket.request(RTM_GETLINK, NLM_F.DUMP, anyLink)),
    );
    expect(first?.length).toBeGreaterThan(0);
    expect(second?.length).toBe(first?.length);
    socket.close();
  });

  test('an error says what was being done', async () => {
    const socket = open();
    await expect(socket.request(RTM_SETLINK, 0, anyLink, 'set link 0')).rejects.toThrow(
      /^set link 0: E[A-Z]+$/,
    );
    socket.close();
  });

  test('a closed socket rejects, and does not reach a file that has its descriptor now', async () => {
    const socket = open();
    await socket.request(RTM_GETLINK, NLM_F.DUMP, anyLink);
    socket.close();
    const error: unknown = await socket
      .request(RTM_GETLINK, NLM_F.DUMP, anyLink)
      .catch((cause: unknown) => cause);
    expect(isIpvsError(error, 'closed')).toBe(true);
  });
});

test('a protocol that the kernel does not have is unsupported', () => {
  expect(() => openNetlink(31)).toThrow(expect.objectContaining({ code: 'unsupported' }));
});

test('a request without an answer says what was being done', async () => {
  const silent = { window: 1, send: () => undefined, receiveNow: () => 0, close: () => undefined };
  const socket = openNetlink(NETLINK.ROUTE, { transport: { open: () => silent }, timeoutMs: 20 });
  await expect(socket.request(RTM_GETLINK, NLM_F.DUMP, anyLink, 'list links')).rejects.toThrow(
    /^list links: no reply within 20 ms$/,
  );
  await expect(
    socket.transaction(10, [{ type: 1, flags: 0, payload: anyLink, what: 'add chain guard' }]),
  ).rejects.toThrow(/^change tables of subsystem 10: no reply within 20 ms$/);
  socket.close();
});
