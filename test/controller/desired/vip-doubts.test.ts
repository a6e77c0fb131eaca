import { expect, test } from '@jest/globals';
import { OPTION_KEYS } from '../../../controller/settings/label-keys.ts';
import { web } from '../../support/builders.ts';
import { lines, translate } from './support.ts';

const AT = 'portDefinitions[0].labels';

/** What is said of this label of app `/web`: the name or address that it gives, and the warning. */
function saidOf(value: string) {
  const { declared, warnings, rejected } = translate(web('/web', { VIP_0: value }, '10.0.0.1:1'));
  const vips = declared.map(({ name, address, port }) => `${name ?? address}:${port}`);
  return { vips, warnings, rejected };
}

test.each<[string, string, string]>([
  ['tcp://web:80', 'tcpweb:80', 'the protocol of a VIP is that of its port; was /web:80 meant?'],
  ['udp:///web:53', 'udpweb:53', 'the protocol of a VIP is that of its port; was /web:53 meant?'],
  ['http://web:80', 'httpweb:80', 'the protocol of a VIP is that of its port; was /web:80 meant?'],
  [
    'tcp://10.1.2.3:80',
    'tcp10.1.2.3:80',
    'the protocol of a VIP is that of its port; was 10.1.2.3:80 meant?',
  ],
  [' /web:80', 'web:80', 'blanks are left out; was /web:80 meant?'],
  ['/web :80', 'web:80', 'blanks are left out; was /web:80 meant?'],
  [' 10.1.2.3:80', '10.1.2.3:80', 'blanks are left out; was 10.1.2.3:80 meant?'],
  [
    'web.marathon.l4lb.thisdcos.directory:80',
    'web.marathon.l4lb.thisdcos.directory:80',
    'a label has only the first part of the full name; was /web:80 meant?',
  ],
  [
    '/broker.kafka.l4lb.thisdcos.directory:9092',
    'broker.kafka.l4lb.thisdcos.directory:9092',
    'a label has only the first part of the full name',
  ],
  ['10.1.2.300:80', '10.1.2.300:80', 'it is not an IPv4 address'],
  ['10.1.2:80', '10.1.2:80', 'it is not an IPv4 address'],
  ['10.1.02.3:80', '10.1.02.3:80', 'it is not an IPv4 address'],
  ['10.1.2.3/32:80', '10.1.2.332:80', 'it is not an IPv4 address'],
  ['fd00::g:80', 'fd00g:80', '":" cannot be in a name and is left out'],
  ['fd00:::1:80', 'fd001:80', 'it is not an IPv6 address'],
  ['[10.1.2.3]:80', '10.1.2.3:80', '"[", "]" cannot be in a name and is left out; was 10.1.2.3:80 meant?'],
  ['web:8080:80', 'web8080:80', '":" cannot be in a name and is left out'],
  ['my service:80', 'myservice:80', '" " cannot be in a name and is left out'],
  ['wéb:80', 'wb:80', '"é" cannot be in a name and is left out'],
])('%j goes on being what it was on DC/OS, %s, and what was meant is asked', (value, vip, why) => {
  const { vips, warnings, rejected } = saidOf(value);
  expect(vips).toEqual([vip]);
  const name = vip.slice(0, vip.lastIndexOf(':'));
  expect(warnings).toEqual([`/web ${AT}.VIP_0: "${value}" is the name ${name}: ${why}`]);
  expect(rejected).toEqual([]);
});

test.each([
  '/web:80',
  'web:80',
  '/group/web:80',
  '/My_App:80',
  'api.svc:80',
  'broker:9092',
  '10.1.2.3:80',
  '/web.mesos:80',
  '/1:80',
])('of %j there is no doubt', (value) => {
  expect(saidOf(value)).toMatchObject({ vips: [expect.anything()], warnings: [], rejected: [] });
});

const EXPECTED = 'expected NAME:PORT or IP:PORT';
const PORT = `${EXPECTED}, with a port from 1 to 65535`;

test.each<[string, string]>([
  ['/web:80/tcp', `${PORT}; was /web:80 meant?`],
  ['web:80/udp', `${PORT}; was /web:80 meant?`],
  ['http://web:80/path', `${PORT}; was /web:80 meant?`],
  ['/web:80 ', `${PORT}; was /web:80 meant?`],
  ['10.1.2.3:80 ', `${PORT}; was 10.1.2.3:80 meant?`],
  ['/web: 80', `${PORT}; was /web:80 meant?`],
  ['"/web:80"', `${PORT}; was /web:80 meant?`],
  ['web 80', `${EXPECTED}; was /web:80 meant?`],
  ['/web:0', PORT],
  ['/web:70000', PORT],
  ['/web:http', PORT],
  ['http://web', PORT],
  ['web', EXPECTED],
  ['[fd00::1]:80', `${EXPECTED}; write the address without brackets: fd00::1:80`],
  ['[fd00::1%eth0]:80', `${EXPECTED}; write the address without brackets: fd00::1:80`],
])('%j cannot work, and what was probably meant is told', (value, reason) => {
  const { vips, rejected } = saidOf(value);
  expect(vips).toEqual([]);
  expect(rejected.map((one) => one.reason.replace(/(; was fd00::1:80 meant\?)$/, ''))).toEqual([reason]);
});

test.each([':80', '/:80'])('%j names nothing, and is ignored with a warning', (value) => {
  expect(saidOf(value)).toMatchObject({ vips: [], warnings: [expect.stringContaining('the name is empty')] });
});

test.each<[string, string]>([
  ['fe80::1%eth0:80', 'fe80::1 is a link-local address, which no VIP can have'],
  ['::1%lo:80', '::1 is a loopback address, which no VIP can have'],
])('%j is refused as the address without its zone is', (value, reason) => {
  expect(saidOf(value)).toMatchObject({ vips: [], rejected: [{ reason: expect.stringContaining(reason) }] });
});

test('the zone of any other address is left out, as in DC/OS, and that is told', () => {
  const desired = translate(web('/web', { VIP_0: 'fd00::1%eth0:80' }, '[fd01:b::1]:1'));
  expect(lines(desired)).toEqual(['tcp/[fd00::1]:80 wlc -> [fd01:b::1]:1 w1']);
  expect(desired.warnings).toEqual([
    `/web ${AT}.VIP_0: the zone in "fd00::1%eth0:80" is left out: the VIP is fd00::1`,
  ]);
});

test.each<[Record<string, string>, string]>([
  [{ Vip_0: '/web:80' }, 'Vip_0 is not used: the key of a VIP label begins with VIP or vip: VIP_0'],
  [{ vIP_0: '/web:80' }, 'vIP_0 is not used: the key of a VIP label begins with VIP or vip: VIP_0'],
  [{ _VIP_0: '/web:80' }, '_VIP_0 is not used: the key of a VIP label begins with VIP or vip: VIP_0'],
  ...[
    ['\uff36\uff29\uff30_0', 'U+FF36, U+FF29, U+FF30, which are'],
    ['V\u0406P_0', 'U+0406, which is'],
    ['V\u0399P_0', 'U+0399, which is'],
    ['V\u200bIP_0', 'U+200B, which is'],
    ['\ufeffVIP_0', 'U+FEFF, which is'],
    ['VI\u0301P_0', 'U+0301, which is'],
  ].map(([key = '', which]): [Record<string, string>, string] => [
    { [key]: '/web:80' },
    `${key} is not used: the key of a VIP label begins with VIP or vip: VIP_0; it has ${which} not ASCII`,
  ]),
  ...['VlP_0', 'V1P_0', 'v|p0', 'V!P-0'].map((key): [Record<string, string>, string] => [
    { [key]: '/web:80' },
    `${key} is not used: the key of a VIP label begins with VIP or vip: VIP_0; it has "${key[1]}" in place of "I"`,
  ]),
  ...['VPI_0', 'vpi0', 'IVP_0', '_IVP-0', 'VVIP_0', 'VIIP_0', 'VPI_PORT0', 'VPI'].map(
    (key): [Record<string, string>, string] => [
      { [key]: '/web:80' },
      `${key} is not used: the key of a VIP label begins with VIP or vip: VIP_0; it has "${/[a-z]+/i.exec(key)?.[0]}" in place of "VIP"`,
    ],
  ),
  [
    { VIP_0: '/w:80', lPVS_WEIGHT: '3' },
    'lPVS_WEIGHT is not used: did you mean IPVS_WEIGHT? It has "l" in place of "I"',
  ],
  [
    { VIP_0: '/w:80', '\u0406PVS_WEIGHT': '3' },
    '\u0406PVS_WEIGHT is not used: did you mean IPVS_WEIGHT? It has U+0406, which is not ASCII',
  ],
  [{ VIP_0: '/w:80', ipvs_weight: '3' }, 'ipvs_weight is not used: did you mean IPVS_WEIGHT?'],
  [{ VIP_0: '/w:80', 'IPVS-SCHEDULER': 'rr' }, 'IPVS-SCHEDULER is not used: did you mean IPVS_SCHEDULER?'],
  [{ VIP_0: '/w:80', IPSV_WEIGHT: '3' }, 'IPSV_WEIGHT is not used: did you mean IPVS_WEIGHT?'],
  [{ VIP_0: '/w:80', ipvs_mode: 'x' }, `ipvs_mode is not used: known are ${OPTION_KEYS.join(', ')}`],
  [{ IPVS_SCHEDULER: 'rr' }, 'IPVS_SCHEDULER is not used: there is no VIP label beside it'],
])('a label of a port that nobody reads is told: %j', (labels, warning) => {
  expect(translate(web('/web', labels, '10.0.0.1:1')).warnings).toEqual([`/web ${AT}.${warning}`]);
});

test.each([
  { VIP0: '/web:80' },
  { 'VIP-0': '/web:80' },
  { 'VIP _0': '/web:80' },
  { vip_0: '/web:80' },
  { VIPfoo: '/web:80' },
])('what DC/OS reads is read: %j', (labels) => {
  const { declared, warnings } = translate(web('/web', labels, '10.0.0.1:1'));
  expect([declared.length, warnings]).toEqual([1, []]);
});

test('labels of others are none of ours', () => {
  const labels = {
    VIP_0: '/web:80',
    'network-scope': 'host',
    team: 'vip',
    IPAM: 'x',
    IPVERSION: '4',
    env: 'a:80',
    V1P_0: 'first',
    v1proxy: 'proxy:80',
    vlpath: '/web:80',
    VPI_0: 'first',
    vpi: 'a virtual path identifier',
    VPIPE: '/web:80',
    IVP_MODE: 'proxy:80',
    IPV4: '10.0.0.1:80',
    IPV_0: '10.0.0.1:80',
    VP_0: '/web:80',
    PVI_0: '/web:80',
  };
  expect(translate(web('/web', labels, '10.0.0.1:1')).warnings).toEqual([]);
});

test.each([
  ['IPVS_WIEGHT', 'IPVS_WEIGHT'],
  ['IPVS_SCHEDULE', 'IPVS_SCHEDULER'],
  ['IPVS_PERSISTENCE_SECOND', 'IPVS_PERSISTENCE_SECONDS'],
  ['IPVS_Drain_Seconds', 'IPVS_DRAIN_SECONDS'],
])('a misspelt option %s is rejected with the one that was meant', (key, meant) => {
  const { rejected } = translate(web('/web', { VIP_0: '/web:80', [key]: '1' }, '10.0.0.1:1'));
  expect(rejected).toMatchObject([
    { at: `${AT}.${key}`, reason: expect.stringContaining(`did you mean ${meant}?`) },
  ]);
});

test('a name that is too long is cut as in DC/OS, and told: another one that begins alike is the same VIP', () => {
  const cut = 'a'.repeat(63);
  const warning = (piece: string) =>
    `/web ${AT}.VIP_0: a part of the name is longer than the 63 characters that DNS allows and is cut to ${piece}: another one that begins alike is the same VIP`;
  expect(saidOf(`/${'a'.repeat(300)}:80`)).toEqual({
    vips: [`${cut}:80`],
    warnings: [warning(cut)],
    rejected: [],
  });
  expect(saidOf(`/web.${'a'.repeat(64)}:80`)).toMatchObject({ warnings: [warning(cut)] });
  expect(saidOf(`/${cut}:80`).warnings).toEqual([]);
  const framework = translate({
    ...web('/web', { VIP_0: '/web:80' }, '10.0.0.1:1'),
    framework: 'f'.repeat(70),
  });
  expect(framework.warnings).toEqual([warning('f'.repeat(63))]);
});
