import { expect, test } from '@jest/globals';
import { Masters, parseMasters } from '../../../controller/http/masters.ts';

const GIVEN = ['http://a.test:8080', 'http://b.test:8080'];
const masters = () => new Masters(parseMasters(GIVEN.join(','), 'Marathon'));
const A = new URL('http://a.test:8080/v2/info');

test('the servers of a source are its masters, and every leader that one of them has named', () => {
  const known = masters();
  expect(known.servers).toEqual(GIVEN);
  known.noteLeader(A, 'http://leader1.test:8080');
  known.noteLeader(A, 'http://leader2.test:8080');
  expect(known.servers).toEqual([...GIVEN, 'http://leader1.test:8080', 'http://leader2.test:8080']);
});

test('a foreign host cannot name a leader, and no host one over another scheme', () => {
  const known = masters();
  known.noteLeader(new URL('http://stranger.test/'), 'http://leader.test:8080');
  known.noteLeader(A, 'https://leader.test:8443');
  known.noteLeader(A, 'no URL');
  expect(known.servers).toEqual(GIVEN);
});

test('of the leaders that a master names the last sixteen are remembered', () => {
  const known = masters();
  for (let n = 0; n < 100; n += 1) known.noteLeader(A, `http://leader${n}.test:8080`);
  expect(known.servers).toHaveLength(GIVEN.length + 16);
  expect(known.servers.at(-1)).toBe('http://leader99.test:8080');
});

test.each([
  'u:secret@h:x',
  'http:/u:secret@h',
  'http://u:se/secret@h',
  'http://u:s@secret@h:x',
  'ftp://u:secret@h',
])('an address that is none is told without its password: %s', (address) => {
  expect(() => parseMasters(address, 'Marathon')).toThrow(/^Marathon's address "[^"]*h(:x)?": expected http/);
  expect(() => parseMasters(address, 'Marathon')).not.toThrow(/secret/);
});
