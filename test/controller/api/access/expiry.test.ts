import { expect, test } from '@jest/globals';
import { expiryLog, expiryWarning } from '../../../../controller/api/access/expiry.ts';
import { World } from '../../../support/world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.parse('2030-01-01T12:00:00Z');

test.each([
  ['a year', 365 * DAY, 14 * DAY],
  ['ninety days', 90 * DAY, 9 * DAY],
  ['a day', DAY, 2.4 * HOUR],
])(
  'a certificate of %s causes a warning in the last tenth of its validity, at most 14 days ahead',
  (_, validity, ahead) => {
    const identity = { startsAt: NOON - validity, endsAt: NOON };
    expect(expiryWarning('tls.pem', identity, NOON - ahead - 1)).toBeNull();
    expect(expiryWarning('tls.pem', identity, NOON - ahead)).toBe(
      '--tls-cert-file tls.pem: the certificate expires at 2030-01-01T12:00:00.000Z; replace the file, it is reloaded at once',
    );
    expect(expiryWarning('tls.pem', identity, NOON)).toMatch(/ the certificate expired at 2030-/);
  },
);

test('each warning is logged once, and again after it had disappeared', () => {
  const { log, logged } = new World();
  const tell = expiryLog(log);
  for (const warning of [null, 'ends', 'ends', 'ended', 'ended', null, 'ends']) tell(warning);
  expect(logged.map(({ level, fields }) => [level, fields])).toEqual([
    ['warn', { reason: 'ends' }],
    ['warn', { reason: 'ended' }],
    ['warn', { reason: 'ends' }],
  ]);
});
