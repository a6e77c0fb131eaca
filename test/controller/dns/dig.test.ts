import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { service } from '../../support/builders.ts';
import { WEB, ZONE } from './asking.ts';
import { Serving } from './serving.ts';

const run = promisify(execFile);
const version = await run('dig', ['-v']).catch(() => null);
if (version === null) console.warn('tests with dig skipped: it is not installed (Debian: bind9-dnsutils)');
const withDig = version === null ? describe.skip : describe;

withDig('as dig sees it', () => {
  let serving: Serving;
  beforeAll(async () => {
    serving = await Serving.start();
    const many = Array.from({ length: 200 }, (_, i) => service(`11.0.9.${i}`, 80, [], { name: 'many' }));
    serving.serve(...many);
  });
  afterAll(() => serving.server.close());

  async function dig(...args: readonly string[]): Promise<string> {
    const server = ['@127.0.0.1', '-p', String(serving.port), '+tries=1', '+time=3'];
    const { stdout } = await run('dig', [...server, ...args]);
    // What dig makes of a message that it could not read as a whole.
    expect(stdout).not.toMatch(/malformed|FORMERR|mismatch|extra bytes/);
    return stdout;
  }

  test.each([
    [[WEB], ['11.0.0.1']],
    [[WEB, 'AAAA'], ['fd01:c::1']],
    [[WEB.toUpperCase()], ['11.0.0.1']],
    [['+noedns', WEB], ['11.0.0.1']],
    [['+tcp', WEB], ['11.0.0.1']],
    [
      ['+tcp', '+keepopen', WEB, WEB],
      ['11.0.0.1', '11.0.0.1'],
    ],
    [['-x', '11.0.0.1'], [`${WEB}.`]],
    [['-x', 'fd01:c::1'], [`${WEB}.`]],
    [[`_443._tcp.${WEB}`, 'SRV'], [`0 0 443 ${WEB}.`]],
    [[ZONE, 'NS'], [`ns.${ZONE}.`]],
    [[ZONE, 'SOA'], [`ns.${ZONE}. hostmaster.${ZONE}. 8 60 180 86400 1`]],
    [['+notcp', WEB, 'ANY'], ['11.0.0.1']],
    [[WEB, 'TXT'], []],
  ])('dig +short %j gives %j', async (args, expected) => {
    const out = await dig('+short', ...args);
    expect(out.split('\n').filter(Boolean)).toEqual(expected);
  });

  test.each([
    [WEB, 'A', 'NOERROR', 'qr aa rd'],
    [`nobody.${ZONE}`, 'A', 'NXDOMAIN', 'qr aa rd'],
    [`marathon.${ZONE}`, 'A', 'NOERROR', 'qr aa rd'],
    ['example.com', 'A', 'REFUSED', 'qr rd'],
    ['version.bind', 'TXT', 'REFUSED', 'qr rd'],
  ])('%s %s: %s, flags %s', async (name, type, status, flags) => {
    const out = await dig('-c', name === 'version.bind' ? 'CH' : 'IN', name, type);
    expect(out).toMatch(`status: ${status}`);
    expect(out).toMatch(`flags: ${flags};`);
    expect(out).toMatch('EDNS: version: 0, flags:; udp: 1232');
  });

  test('a truncated answer is retried over TCP, and is complete', async () => {
    const out = await dig('+short', `many.marathon.${ZONE}`);
    expect(out.split('\n').filter(Boolean).at(-1)).toMatch(/^11\.0\.9\./);
    expect(out.match(/^11\.0\.9\./gm)).toHaveLength(200);
  });

  test('cookies, padding and a future EDNS version do no harm', async () => {
    expect(await dig('+short', '+cookie=0123456789abcdef', '+padding=128', '+nsid', WEB)).toBe('11.0.0.1\n');
    expect(await dig('+noednsneg', '+edns=77', WEB)).toMatch('status: BADVERS');
    expect(await dig('+ednsneg', '+edns=77', '+short', WEB)).toBe('11.0.0.1\n');
  });
});
