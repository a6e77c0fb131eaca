import { expect, test } from '@jest/globals';
import { Failures } from '../../../../controller/api/access/failures.ts';

function spend(failures: Failures, address: string, now = 0): void {
  for (let count = 0; count < 30; count++) failures.add(address, now);
}

test('each client has thirty tries per minute', () => {
  const failures = new Failures();
  expect(failures.add('10.0.0.1', 0)).toBe(true);
  expect(failures.add('10.0.0.1', 0)).toBe(false);
  spend(failures, '10.0.0.1');
  expect([failures.isExhausted('10.0.0.1', 59_999), failures.isExhausted('10.0.0.2', 59_999)]).toEqual([
    true,
    false,
  ]);
  expect(failures.isExhausted('10.0.0.1', 60_000)).toBe(false);
});

test('an IPv6 client is counted by its network, an IPv4 client once for both kinds of socket', () => {
  const failures = new Failures();
  spend(failures, 'fd00::1');
  expect(['fd00::2', 'fd00:0:0:1::2'].map((one) => failures.isExhausted(one, 0))).toEqual([true, false]);
  spend(failures, '::ffff:10.0.0.1');
  expect(['10.0.0.1', '::ffff:10.0.0.2'].map((one) => failures.isExhausted(one, 0))).toEqual([true, false]);
});

test('clients beyond a thousand share one count', () => {
  const failures = new Failures();
  for (let client = 0; client < 1_024; client++) failures.add(`10.0.${client >> 8}.${client & 255}`, 0);
  spend(failures, '10.9.0.1');
  expect(failures.isExhausted('10.9.0.2', 0)).toBe(true);
  expect(failures.isExhausted('10.0.0.1', 0)).toBe(false);
});

test('a clock that is set back locks nobody out', () => {
  const failures = new Failures();
  spend(failures, '10.0.0.1', 1_000_000);
  expect(failures.isExhausted('10.0.0.1', 5_000)).toBe(false);
});
