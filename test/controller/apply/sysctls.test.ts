import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SYSCTLS, Sysctls, sysctlsFor } from '../../../controller/apply/sysctls.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sysctls-'));
  for (const { name, value } of SYSCTLS) await set(name, value);
  await set(REUSE, '1');
});
afterEach(() => rm(root, { recursive: true }));

const REUSE = 'net.ipv4.vs.conn_reuse_mode';
const FORWARD = 'net.ipv4.ip_forward';
const fileOf = (name: string) => join(root, name.replaceAll('.', '/'));
const get = async (name: string) => (await readFile(fileOf(name), 'utf8')).trim();
async function set(name: string, value: string): Promise<void> {
  await mkdir(dirname(fileOf(name)), { recursive: true });
  await writeFile(fileOf(name), value);
}
const sysctls = (kernel = '6.1.0-56-amd64', write = true) => new Sysctls({ write, kernel, root });
const NO_IPV6 = { ipv6: false };

test.each([
  ['4.0.9', []],
  ['4.1.0', ['0']],
  ['5.8.18-generic', ['0']],
  ['5.9.0', ['1']],
  ['6.18.44-fc', ['1']],
  ['unknown', []],
])('on Linux %s conn_reuse_mode is wanted as %j', (kernel, values) => {
  const wanted = sysctlsFor(kernel).filter(({ name }) => name === REUSE);
  expect(wanted.map(({ value }) => value)).toEqual(values);
  expect(wanted.every(({ onlyAdvised }) => onlyAdvised === (values[0] === '1' || undefined))).toBe(true);
});

test('where the kernel needs it, reuse mode is written; where it does not, another value is advice', async () => {
  const old = await sysctls('5.4.0').ensure(NO_IPV6);
  expect(old).toEqual({ changed: [`sysctl ${REUSE} 1 -> 0`], advice: [], unmet: [] });
  const { changed, advice } = await sysctls('6.1.0').ensure(NO_IPV6);
  expect([changed, advice]).toEqual([[], [expect.stringMatching(`sysctl ${REUSE} is 0, wanted 1 .*5\\.9`)]]);
  expect(await get(REUSE)).toBe('0');
});

test('what differs is written and told, or told with the line that fixes it now and at boot', async () => {
  await set(FORWARD, '0');
  expect(await sysctls(undefined, false).ensure(NO_IPV6)).toEqual({
    changed: [],
    advice: [
      "sysctl net.ipv4.ip_forward is 0, wanted 1 (without it containers and other hosts get no answer from a VIP); fix: sysctl -w net.ipv4.ip_forward=1 && mkdir -p /etc/sysctl.d && printf 'net.ipv4.ip_forward = 1\\n' > /etc/sysctl.d/90-marathon-ipvs-ip_forward.conf",
    ],
    unmet: [FORWARD],
  });
  expect(await get(FORWARD)).toBe('0');
  expect((await sysctls().ensure(NO_IPV6)).changed).toEqual([`sysctl ${FORWARD} 0 -> 1`]);
  expect(await get(FORWARD)).toBe('1');
});

test('a setting that cannot be written is advice for the host, in plain words', async () => {
  await rm(fileOf(FORWARD));
  await mkdir(fileOf(FORWARD));
  expect((await sysctls().ensure(NO_IPV6)).advice).toEqual([
    expect.stringMatching(
      /ip_forward is not 1 \(.*\): it is a directory; fix, on the host itself: sysctl -w /,
    ),
  ]);
});

test('IPv6 forwarding is a matter for hosts with IPV6 to others, and never written', async () => {
  await set('net.ipv6.conf.all.forwarding', '0');
  expect((await sysctls().ensure(NO_IPV6)).advice).toEqual([]);
  expect((await sysctls().ensure({ ipv6: true })).advice).toEqual([expect.stringContaining('accept_ra')]);
  expect(await get('net.ipv6.conf.all.forwarding')).toBe('0');
});

test('a setting that cannot be read is advice, and unmet', async () => {
  await rm(fileOf('net.ipv4.vs.conntrack'));
  const { advice, unmet } = await sysctls().ensure(NO_IPV6);
  expect(advice).toEqual([
    expect.stringMatching(
      /^sysctl net\.ipv4\.vs\.conntrack is not 1 \(.*\): this kernel does not have it; fix, on the host itself: modprobe ip_vs && .*\/etc\/modules-load\.d\/.* && sysctl -w net\.ipv4\.vs\.conntrack=1 && .*\/etc\/sysctl\.d\/90-marathon-ipvs-conntrack\.conf$/,
    ),
  ]);
  expect(unmet).toEqual(['net.ipv4.vs.conntrack']);
});

test('what someone changes is put back, but who does so again and again is not fought until the next full look', async () => {
  const settings = sysctls();
  await set(FORWARD, '0');
  expect(await settings.repair()).toEqual([]); // Nothing was ensured yet.
  await settings.ensure(NO_IPV6);
  const repaired: number[] = [];
  for (let change = 0; change < 5; change++) {
    await set(FORWARD, '0');
    repaired.push((await settings.repair()).length);
  }
  expect(repaired).toEqual([1, 1, 1, 0, 0]);
  expect((await settings.ensure(NO_IPV6)).changed).toEqual([`sysctl ${FORWARD} 0 -> 1`]);
  await set(FORWARD, '0');
  expect(await settings.repair()).toEqual([`sysctl ${FORWARD} 0 -> 1`]);
});

test('where settings are only told of, nothing is put back', async () => {
  const settings = sysctls(undefined, false);
  await settings.ensure(NO_IPV6);
  await set(FORWARD, '0');
  expect(await settings.repair()).toEqual([]);
  expect(await get(FORWARD)).toBe('0');
});
