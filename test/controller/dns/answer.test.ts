import { describe, expect, test } from '@jest/globals';
import { AUTHORITATIVE_ANSWER, RECURSION_AVAILABLE, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet';
import { service } from '../../support/builders.ts';
import { ask, changesTo, ID, indexOf, lines, SERVICES, told, WEB, ZONE } from './asking.ts';

const SOA = `${ZONE} SOA ns.${ZONE} hostmaster.${ZONE} 7 60 180 86400 1`;

describe('names of VIPs', () => {
  test('a VIP has its IPv4 address as A and its IPv6 address as AAAA, for five seconds', () => {
    expect(lines(told(ask(WEB)).answers)).toEqual([`${WEB} A 11.0.0.1`]);
    expect(lines(told(ask(WEB, { type: 'AAAA' })).answers)).toEqual([`${WEB} AAAA fd01:c::1`]);
    expect(told(ask(WEB)).answers?.[0]).toMatchObject({ ttl: 5, class: 'IN' });
  });

  test('a label with a dot in it makes two labels', () => {
    expect(lines(told(ask(`api.svc.marathon.${ZONE}`)).answers)).toEqual([
      `api.svc.marathon.${ZONE} A 11.0.0.2`,
    ]);
  });

  test('an IP VIP has no name', () => {
    const named = [...indexOf().nodes.keys()];
    expect(named.filter((name) => name.includes('192'))).toEqual([]);
  });

  test.each([
    [`_80._tcp.${WEB}`, 80],
    [`_443._tcp.${WEB}`, 443],
    [`_53._udp.${WEB}`, 53],
  ])('%s is the SRV record of a port, with the addresses beside it', (name, port) => {
    const reply = told(ask(name, { type: 'SRV' }));
    expect(lines(reply.answers)).toEqual([`${name} SRV 0 0 ${port} ${WEB}`]);
    expect(lines(reply.additionals)).toEqual([`${WEB} A 11.0.0.1`, `${WEB} AAAA fd01:c::1`]);
  });

  test('a port that no VIP has gives no such name', () => {
    expect(told(ask(`_81._tcp.${WEB}`, { type: 'SRV' })).rcode).toBe('NXDOMAIN');
    expect(told(ask(`_80._udp.${WEB}`, { type: 'SRV' })).rcode).toBe('NXDOMAIN');
  });

  test('an address of a pool resolves back to its name', () => {
    const ipv4 = '1.0.0.11.in-addr.arpa';
    expect(lines(told(ask(ipv4, { type: 'PTR' })).answers)).toEqual([`${ipv4} PTR ${WEB}`]);
    const ipv6 = `1.${'0.'.repeat(23)}c.0.0.0.1.0.d.f.ip6.arpa`;
    expect(lines(told(ask(ipv6, { type: 'PTR' })).answers)).toEqual([`${ipv6} PTR ${WEB}`]);
  });

  test('several zones can be served, each name in its own', () => {
    const other = service('11.0.0.9', 80, [], { name: 'db', fqdn: 'db.marathon.example.org' });
    const index = indexOf([...SERVICES, other], { zones: [ZONE, 'example.org'] });
    expect(lines(told(ask('db.marathon.example.org', { index })).answers)).toEqual([
      'db.marathon.example.org A 11.0.0.9',
    ]);
    expect(lines(told(ask('nobody.example.org', { index })).authorities)[0]).toMatch(
      /^example\.org SOA ns\.l4lb/,
    );
    expect(lines(told(ask(WEB, { index })).answers)).toHaveLength(1);
  });

  test('a VIP has its name in further zones too, and its address resolves back to the first', () => {
    const index = indexOf(SERVICES, { zones: [ZONE, 'vips.example.org'] });
    const alias = 'web.marathon.vips.example.org';
    expect(lines(told(ask(alias, { index })).answers)).toEqual([`${alias} A 11.0.0.1`]);
    expect(lines(told(ask(`_80._tcp.${alias}`, { index, type: 'SRV' })).answers)).toEqual([
      `_80._tcp.${alias} SRV 0 0 80 ${alias}`,
    ]);
    expect(lines(told(ask(WEB, { index })).answers)).toEqual([`${WEB} A 11.0.0.1`]);
    const reply = told(ask('1.0.0.11.in-addr.arpa', { index, type: 'PTR' }));
    expect(lines(reply.answers)).toEqual([`1.0.0.11.in-addr.arpa PTR ${WEB}`]);
    index.update(changesTo([], SERVICES), () => 0);
    expect(told(ask(alias, { index })).rcode).toBe('NXDOMAIN');
  });

  test('a name outside the zones and an invalid name get no records and do not affect others', () => {
    const index = indexOf([
      service('11.0.0.3', 80, [], { name: 'a', fqdn: 'a.example.net' }),
      service('11.0.0.4', 80, [], { name: 'b', fqdn: `..${ZONE}` }),
      service('11.0.0.5', 80, [], { name: 'c', fqdn: `${'c'.repeat(64)}.${ZONE}` }),
      ...SERVICES,
    ]);
    expect([...index.nodes.keys()].sort()).toEqual([...indexOf().nodes.keys()].sort());
  });
});

test('the TTL option applies to addresses, and negative answers are never cached longer', () => {
  const index = indexOf(SERVICES, { ttlSeconds: 0 });
  expect(told(ask(WEB, { index })).answers?.[0]).toMatchObject({ ttl: 0 });
  expect(told(ask(`_80._tcp.${WEB}`, { type: 'SRV', index })).answers?.[0]).toMatchObject({ ttl: 0 });
  expect(lines(told(ask(`nobody.${ZONE}`, { index })).authorities)[0]).toMatch(/ 86400 0$/);
});

describe('the records of a zone', () => {
  test('SOA and NS at its apex, with the address of the name server', () => {
    expect(lines(told(ask(ZONE, { type: 'SOA' })).answers)).toEqual([SOA]);
    const servers = told(ask(ZONE, { type: 'NS' }));
    expect(lines(servers.answers)).toEqual([`${ZONE} NS ns.${ZONE}`]);
    expect(lines(servers.additionals)).toEqual([`ns.${ZONE} A 198.51.100.4`]);
    expect(lines(told(ask(`ns.${ZONE}`)).answers)).toEqual([`ns.${ZONE} A 198.51.100.4`]);
  });

  test('reverse zones have them too, with the same name server', () => {
    const servers = told(ask('11.in-addr.arpa', { type: 'NS' }));
    expect(lines(servers.answers)).toEqual([`11.in-addr.arpa NS ns.${ZONE}`]);
    expect(servers.additionals).toEqual([]);
    expect(told(ask('9.9.9.11.in-addr.arpa', { type: 'PTR' })).rcode).toBe('NXDOMAIN');
  });
});

describe('negative answers', () => {
  test('a name that does not exist is NXDOMAIN, with the SOA that limits caching', () => {
    const reply = told(ask(`nobody.marathon.${ZONE}`));
    expect(reply.rcode).toBe('NXDOMAIN');
    expect(reply.answers).toEqual([]);
    expect(lines(reply.authorities)).toEqual([SOA]);
    expect(reply.authorities?.[0]).toMatchObject({ ttl: 1 });
  });

  test.each([
    [WEB, 'TXT', 'a name without records of that type'],
    [`marathon.${ZONE}`, 'A', 'a name that only has names below it'],
    [`_tcp.${WEB}`, 'SRV', 'the name between a port and its VIP'],
    [`svc.marathon.${ZONE}`, 'A', 'the name within a name of two labels'],
    ['0.0.11.in-addr.arpa', 'PTR', 'the name above an address'],
    [`api.svc.marathon.${ZONE}`, 'AAAA', 'a VIP of the other family only'],
  ])('%s %s exists without data: %s', (name, type) => {
    const reply = told(ask(name, { type }));
    expect(reply.rcode).toBe('NOERROR');
    expect(reply.answers).toEqual([]);
    expect(reply.authorities).toHaveLength(1);
  });

  test.each(['example.com', 'directory', '.', 'xl4lb.thisdcos.directory', '1.0.0.10.in-addr.arpa'])(
    '%s is not ours to answer: refused, nothing told, no recursion',
    (name) => {
      const reply = told(ask(name, { flags: RECURSION_DESIRED }));
      expect(reply.rcode).toBe('REFUSED');
      expect([...(reply.answers ?? []), ...(reply.authorities ?? [])]).toEqual([]);
      expect((reply.flags ?? 0) & (AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE)).toBe(0);
    },
  );

  test('a transfer of the whole zone is refused', () => {
    for (const type of ['AXFR', 'IXFR']) {
      expect(told(ask(ZONE, { type, transport: 'tcp' })).rcode).toBe('REFUSED');
    }
  });

  test('a class other than IN is refused', () => {
    const spoil = (query: Buffer) => {
      query.writeUInt16BE(3, query.length - 2);
      return query;
    };
    expect(told(ask(WEB, { spoil })).rcode).toBe('REFUSED');
  });
});

describe('the header', () => {
  test('id and "recursion desired" are copied, the answer is authoritative, recursion is never available', () => {
    const reply = told(ask(WEB, { flags: RECURSION_DESIRED }));
    expect(reply).toMatchObject({ id: ID, type: 'response' });
    expect((reply.flags ?? 0) & 0x7ff0).toBe(AUTHORITATIVE_ANSWER | RECURSION_DESIRED);
    expect((told(ask(WEB)).flags ?? 0) & 0x7ff0).toBe(AUTHORITATIVE_ANSWER);
  });

  test('names match in any letter case and are repeated as queried', () => {
    const mixed = `WeB.MARathon.l4LB.thisdcos.DIRECTORY`;
    const reply = told(ask(mixed));
    expect(reply.questions?.[0]?.name).toBe(mixed);
    expect(lines(reply.answers)).toEqual([`${mixed} A 11.0.0.1`]);
  });

  test('ANY gives the records of one type, not all (RFC 8482)', () => {
    expect(lines(told(ask(WEB, { type: 'ANY' })).answers)).toEqual([`${WEB} A 11.0.0.1`]);
    expect(lines(told(ask(`marathon.${ZONE}`, { type: 'ANY' })).answers)).toEqual([]);
  });
});

describe('EDNS and sizes', () => {
  test('a client that uses EDNS gets our payload size, others get no OPT record', () => {
    const [opt] = told(ask(WEB, { edns: {} })).additionals ?? [];
    expect(opt).toMatchObject({ type: 'OPT', udpPayloadSize: 1_232, ednsVersion: 0, extendedRcode: 0 });
    expect(told(ask(WEB)).additionals).toEqual([]);
  });

  test('an unknown EDNS version is BADVERS', () => {
    const found = ask(WEB, { edns: { version: 1 } });
    const reply = told(found);
    expect(found?.rcode).toBe(16);
    expect(reply.answers).toEqual([]);
    expect(reply.additionals?.[0]).toMatchObject({ extendedRcode: 1, ednsVersion: 0 });
  });

  const many = Array.from({ length: 80 }, (_, i) => service(`11.0.1.${i}`, 80, [], { name: 'many' }));
  const index = indexOf(many);
  const name = `many.marathon.${ZONE}`;
  const isTruncated = (flags: number | undefined) => ((flags ?? 0) & TRUNCATED_RESPONSE) !== 0;

  test.each([
    ['512 bytes without EDNS', undefined, 512],
    ['512 bytes also where the client says less', { payload: 100 }, 512],
    ["the client's payload size", { payload: 1_000 }, 1_000],
    ['1232 bytes also where the client takes more', { payload: 65_535 }, 1_232],
  ])('an answer longer than %s is truncated and empty over UDP', (_, edns, limit) => {
    const found = ask(name, { index, edns });
    const reply = told(found);
    expect(found?.bytes.length).toBeLessThanOrEqual(limit);
    expect(found?.truncated).toBe(true);
    expect(isTruncated(reply.flags)).toBe(true);
    expect(lines(reply.answers)).toEqual([]);
  });

  test('over TCP it is complete', () => {
    const reply = told(ask(name, { index, transport: 'tcp' }));
    expect(isTruncated(reply.flags)).toBe(false);
    expect(reply.answers).toHaveLength(80);
  });

  test('additional records are left out to save room, without truncation', () => {
    const reply = told(ask(`_80._tcp.${name}`, { type: 'SRV', index }));
    expect(isTruncated(reply.flags)).toBe(false);
    expect(lines(reply.answers)).toEqual([`_80._tcp.${name} SRV 0 0 80 ${name}`]);
    expect(reply.additionals).toEqual([]);
  });

  test('the longest possible name of a VIP is answered for every type', () => {
    const label = 'a'.repeat(63);
    const zone = `${'b'.repeat(62)}.${'c'.repeat(62)}`;
    const fqdn = `${label}.${label}.${zone}`;
    const longest = indexOf([service('11.0.0.1', 65_535, [], { name: label, fqdn })], { zones: [zone] });
    expect(lines(told(ask(fqdn, { index: longest })).answers)).toEqual([`${fqdn} A 11.0.0.1`]);
    // The name has no room for a port label.
    expect(told(ask(`_tcp.${label}.${zone}`, { type: 'SRV', index: longest })).rcode).toBe('NXDOMAIN');
    expect(told(ask('1.0.0.11.in-addr.arpa', { type: 'PTR', index: longest })).answers).toHaveLength(1);
  });
});
