import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cleanName, cutPieces, fullyQualified } from '../../../controller/desired/names.ts';

// The table of dcos-net's own tests (`mesos_state_tests`), by way of the reference.
test.each([
  ['my-service', 'my-service'],
  ['/my-service', 'my-service'],
  ['/outergroup/subgroup/myapp', 'outergroupsubgroupmyapp'],
  ['/api.svc', 'api.svc'],
  ['/My_App', 'my-app'],
  ['..a..b.', 'a.b'],
  ['fd%gsf---gs7-f$gs--d7fddg-123', 'fdgsf---gs7-fgs--d7fddg-123'],
  [
    '##fdgsf---gs7-fgs--d7fddg123456789012345678901234567890123456789-',
    'fdgsf---gs7-fgs--d7fddg123456789012345678901234567890123456789',
  ],
  [
    'fd%gsf---gs7-f$gs--d7fddg123456789012345678901234567890123456789-123',
    'fdgsf---gs7-fgs--d7fddg1234567890123456789012345678901234567891',
  ],
  ['-4abc123', '4abc123'],
  [`a${'-'.repeat(68)}b`, 'ab'],
  ['_web_', 'web'],
  ['wéb', 'wb'],
  ['\u212Aelvin', 'elvin'],
  ['L4LB.ThisDCOS.directory', 'l4lb.thisdcos.directory'],
])('%s is cleaned to %s', (text, cleaned) => {
  expect(cleanName(text)).toBe(cleaned);
});

test.each(['', '.', '/', '%%%', '---', 'web.%.prod', 'ü'])(
  '"%s" has a part without letter or digit: no name',
  (text) => {
    expect(cleanName(text)).toBeNull();
  },
);

test('a cleaned name is made of DNS labels of at most 63 characters, and stays as it is when cleaned again', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: fc.constantFrom(...'aZ0-_./'), maxLength: 300 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const cleaned = cleanName(text);
      if (cleaned === null) return;
      for (const piece of cleaned.split('.')) expect(piece).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
      expect(cleanName(cleaned)).toBe(cleaned);
    }),
  );
});

test('a full name that DNS cannot carry is none', () => {
  const long = ['a', 'b', 'c'].map((letter) => letter.repeat(63)).join('.');
  expect(fullyQualified('web', 'marathon', 'l4lb.thisdcos.directory')).toBe(
    'web.marathon.l4lb.thisdcos.directory',
  );
  expect(fullyQualified(long, 'marathon', 'l4lb.thisdcos.directory')?.length).toBe(224);
  expect(fullyQualified(`${long}.${'d'.repeat(40)}`, 'marathon', 'l4lb.thisdcos.directory')).toBeNull();
});

test.each<[string, readonly string[]]>([
  ['a'.repeat(63), []],
  [`/${'a'.repeat(63)}/`, []],
  [`${'a'.repeat(63)}${'-'.repeat(9)}`, []],
  [`${'a'.repeat(40)}.${'b'.repeat(40)}`, []],
  ['a'.repeat(64), ['a'.repeat(63)]],
  [`${'a'.repeat(64)}.web.${'b'.repeat(300)}`, ['a'.repeat(63), 'b'.repeat(63)]],
  [`a${'-'.repeat(68)}b`, ['ab']],
])('of %s the pieces %j are cut', (text, cut) => {
  expect(cutPieces(text)).toEqual(cut);
});
