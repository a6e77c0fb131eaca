import { describe, expect, test } from '@jest/globals';
import { isHostName, parseUrl } from '../../../controller/input/host-name.ts';

describe('a host name', () => {
  test.each([
    'agent-1',
    'agent_1.example.com',
    'Agent.Example.COM.',
    'ip-10-0-0-9',
    '10.0.0.9.example',
    '3com',
    '0xg',
    '1e3',
    'bücher.example',
  ])('is %s', (text) => expect(isHostName(text)).toBe(true));

  test.each([
    '010.0.0.9',
    '10.0.0.09',
    '10.9',
    '10.0.2304',
    '167772169',
    '4294967296',
    '0',
    '0x0a000001',
    '0XA.0x0.0.9',
    '0x',
    'agent.5',
    'agent.0x5',
    '10.9.',
    '10.0.0.9.',
    '10.0.0.9',
    '1.2.3.4.5',
    '１０.9',
    '10。9',
    '10%2e9',
    ' 10.9',
    '10.9 ',
    '10.0.0.9:5051',
    '[::1]',
    '::ffff:10.9',
    'fe80::1%eth0',
    'two words',
    '',
  ])('is not "%s"', (text) => expect(isHostName(text)).toBe(false));
});

describe('a URL', () => {
  const base = new URL('http://10.0.0.1:8080/v2/apps');

  test.each([
    ['http://10.0.0.2:8080/v2', 'http://10.0.0.2:8080/v2'],
    ['//10.0.0.2:5050/api', 'http://10.0.0.2:5050/api'],
    ['/v2/info?of=010.0.0.9', 'http://10.0.0.1:8080/v2/info?of=010.0.0.9'],
    ['http://[fd01::5]:8080/', 'http://[fd01::5]:8080/'],
    ['https://Marathon.example/', 'https://marathon.example/'],
  ])('%s is one', (text, href) => expect(parseUrl(text, base)?.href).toBe(href));

  test.each([
    'http://010.0.0.9:8080',
    'http://10.9/',
    'http://0x0a000001',
    'http://user:password@10.9/?host=10.0.0.9',
    '//167772169:5050/api',
    'http://agent.5/',
    'http://',
  ])('%s is none: its host is another address than it looks', (text) =>
    expect(parseUrl(text, base)).toBeNull(),
  );
});
