import { describe, expect, test } from '@jest/globals';
import { describeOption, type OptionName, optionNames, options } from '../../../controller/config/options.ts';
import { sourceName } from '../../../controller/config/values.ts';

function read(name: OptionName, text: string): unknown {
  return options.shape[name].safeParse(text).data;
}

const accepted: readonly [OptionName, string, unknown][] = [
  ['listen', '127.0.0.1:61421', { address: '127.0.0.1', port: 61421 }],
  ['listen', '[::1]:61421', { address: '::1', port: 61421 }],
  ['listen', '0.0.0.0:0', { address: '0.0.0.0', port: 0 }],
  ['listen', 'off', null],
  ['dnsListen', 'off', []],
  ['dnsListen', '198.51.100.4:53', [{ address: '198.51.100.4', port: 53 }]],
  [
    'dnsListen',
    '127.0.0.1:53,[::1]:53',
    [
      { address: '127.0.0.1', port: 53 },
      { address: '::1', port: 53 },
    ],
  ],
  ['poolIpv4', '10.64.0.0/10', '10.64.0.0/10'],
  ['poolIpv6', 'FD01:C:0::/64', 'fd01:c::/64'],
  ['poolIpv6', 'none', null],
  ['hostAddress', 'auto', null],
  ['hostAddress', '10.0.0.7', '10.0.0.7'],
  ['hostAddress', 'FD00::0007', 'fd00::7'],
  ['hostId', 'auto', null],
  ['hostId', 'rack-7/host-3', 'rack-7/host-3'],
  ['defaultScheduler', 'twos', 'twos'],
  ['trafficDistribution', 'PreferSameZone', 'PreferSameZone'],
  ['nodeZone', 'aws/eu-central-1a', 'aws/eu-central-1a'],
  ['nodeZone', 'auto', 'auto'],
  ['nodeRegion', 'primary', 'primary'],
  ['nodeName', 'auto', null],
  ['nodeName', 'ip-10-0-0-7.ec2.internal', 'ip-10-0-0-7.ec2.internal'],
  ['zone', 'L4LB.example.', 'l4lb.example'],
  ['zone', 'local', 'local'],
  ['interface', 'vip0', 'vip0'],
  ['interface', 'dummy-vip.100_a', 'dummy-vip.100_a'],
  ['against', 'kernel', { kind: 'kernel' }],
  ['against', 'none', { kind: 'none' }],
  ['against', './none', { kind: 'file', path: './none' }],
  ['settleMs', '0', 0],
  ['resyncSeconds', '86400', 86_400],
  ['adopt', 'true', true],
  ['writeSysctls', 'false', false],
  ['output', 'ipvsadm', 'ipvsadm'],
  ['server', 'http://10.0.0.1:61421/', 'http://10.0.0.1:61421'],
  ['tcpTimeout', '7260', 7_260],
  ['framework', 'Marathon User', 'Marathon User'],
];

const refused: readonly [OptionName, string][] = [
  ['listen', 'localhost:61421'],
  ['dnsListen', '0.0.0.0:53'],
  ['dnsListen', '[::]:53'],
  ['dnsListen', '[::ffff:10.0.0.1]:53'],
  ['dnsListen', '10.0.0.1'],
  ['dnsListen', '10.0.0.1:53,off'],
  ['dnsListen', '10.0.0.1:53,'],
  ['dnsListen', '[fd00::1]:53,[fd00:0::1]:53'],
  ['listen', ':61421'],
  ['listen', '61421'],
  ['listen', '127.0.0.1'],
  ['listen', '127.0.0.1:65536'],
  ['listen', '127.0.0.1:-1'],
  ['listen', '::1:61421'],
  ['listen', '[127.0.0.1]:80'],
  ['poolIpv4', '11.0.0.1/8'],
  ['poolIpv4', '11.0.0.0'],
  ['poolIpv4', '11.0.0.0/7'],
  ['poolIpv4', '11.0.0.0/29'],
  ['poolIpv4', '11.0/8'],
  ['poolIpv4', '127.0.0.0/8'],
  ['poolIpv4', '224.0.0.0/8'],
  ['poolIpv4', '169.254.0.0/16'],
  ['poolIpv4', '0.0.0.0/8'],
  ['poolIpv4', 'fd01:c::/64'],
  ['poolIpv4', 'none'],
  ['poolIpv6', 'fd01:c::1/64'],
  ['poolIpv6', 'fe80::/64'],
  ['poolIpv6', 'ff00::/64'],
  ['poolIpv6', '::/64'],
  ['poolIpv6', '11.0.0.0/8'],
  ['hostAddress', '127.0.0.1'],
  ['hostAddress', 'fe80::1%eth0'],
  ['hostAddress', '010.0.0.1'],
  ['hostAddress', 'host'],
  ['hostId', ''],
  ['hostId', 'two words'],
  ['hostId', 'a\u0007b'],
  ['hostId', 'x'.repeat(256)],
  ['defaultScheduler', 'wlcc'],
  ['trafficDistribution', 'PreferClose'],
  ['nodeZone', ''],
  ['nodeZone', 'zone a'],
  ['nodeRegion', 'x'.repeat(256)],
  ['nodeName', ''],
  ['defaultScheduler', 'WLC'],
  ['defaultScheduler', ''],
  ['zone', 'under_score.example'],
  ['zone', '-a.example'],
  ['zone', 'a..b'],
  ['zone', '.'],
  ['zone', `${'a'.repeat(64)}.example`],
  ['zone', 'a.'.repeat(64)],
  ['interface', 'lo'],
  ['interface', 'all'],
  ['interface', '../eth0'],
  ['interface', 'sixteen-letters-'],
  ['interface', 'vip 0'],
  ['settleMs', '1.5'],
  ['settleMs', ' 1'],
  ['settleMs', '+1'],
  ['settleMs', '99999999999999999999'],
  ['resyncSeconds', '0'],
  ['resyncSeconds', ''],
  ['adopt', 'yes'],
  ['adopt', 'TRUE'],
  ['output', 'xml'],
  ['server', '10.0.0.1:61421'],
  ['server', 'http://user:password@10.0.0.1'],
  ['server', 'http://10.0.0.1/?x'],
  ['tcpTimeout', '0'],
  ['udpTimeout', '2592001'],
  ['framework', '---'],
  ['framework', 'a\nb'],
  ['ledger', ''],
  ['ledger', 'a\0b'],
];

test.each(accepted)('--%s takes %j', (name, text, value) => {
  expect(read(name, text)).toEqual(value);
});

test.each(refused)('--%s does not take %j', (name, text) => {
  const { success, error } = options.shape[name].safeParse(text);
  expect(success).toBe(false);
  expect(error?.issues[0]?.message).toBe(`expected ${describeOption(name).accepted}`);
});

describe('sources', () => {
  const source = (text: string) => options.shape.source.safeParse([text]).data?.[0];

  test.each([
    ['marathon=http://m1:8080', ['http://m1:8080']],
    ['marathon=http://m1:8080/,https://m2:8443', ['http://m1:8080', 'https://m2:8443']],
    ['marathon=https://dcos.example.com/service/marathon/', ['https://dcos.example.com/service/marathon']],
    ['marathon=http://[fd00::1]:8080', ['http://[fd00::1]:8080']],
    ['marathon=HTTP://M1', undefined],
    ['mesos=http://m1:5050,http://m2:5050/', ['http://m1:5050', 'http://m2:5050']],
    ['mesos=https://dcos.example.com/mesos', ['https://dcos.example.com/mesos']],
    ['mesos-agent=http://10.0.0.1:5051', ['http://10.0.0.1:5051']],
  ])('%s names the masters %j', (text, masters) => {
    const parsed = source(text);
    expect(parsed && 'masters' in parsed ? parsed.masters : undefined).toEqual(masters);
  });

  test.each([
    '',
    'marathon',
    'marathon=',
    '=x',
    'http://m1:8080',
    'marathon=m1:8080',
    'marathon=ftp://m1',
    'marathon=http://',
    'marathon=http://010.0.0.9:8080',
    'marathon=http://10.9:8080',
    'mesos-agent=http://0x0a000001:5051',
    'marathon=http://m1,',
    'marathon=http://m1,http://m1/',
    'marathon=http://m1?x=1',
    'marathon=http://m1#x',
    'marathon=http://m 1',
    'mesos=m1:5050',
    'mesos-agent=http://a1:5051,http://a2:5051',
    'mesos_agent=http://a1:5051',
    'zk=http://m1:2181',
    'file=',
    'file=a\0b',
    'Marathon=http://m1',
  ])('%j is no source', (text) => {
    expect(source(text)).toBeUndefined();
  });

  test('a source is named as given, without a trailing slash in a URL', () => {
    const parsed = source('marathon=http://m1:8080/');
    expect(parsed && sourceName(parsed)).toBe('marathon=http://m1:8080');
    const file = source('file=/etc/apps=1.json');
    expect(file && sourceName(file)).toBe('file=/etc/apps=1.json');
  });
});

test('every option has a description, and its default is one of the values that it accepts', () => {
  for (const name of optionNames) {
    const { description, fallback, repeatable } = describeOption(name);
    expect(description).toMatch(/^[A-Z].*\.$/s);
    if (fallback !== null && repeatable !== true)
      expect(options.shape[name].safeParse(fallback).success).toBe(true);
  }
});
