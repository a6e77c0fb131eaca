import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fileName, variableName } from '../../../controller/config/option-text.ts';
import { optionNames } from '../../../controller/config/options.ts';
import { nearest } from '../../../controller/text/suggestion.ts';
import { refusalOf } from './resolving.ts';

const inFile = optionNames.filter((name) => name !== 'config');

describe('a misspelled option', () => {
  test.each([
    ['sorce', 'source'],
    ['soruce', 'source'],
    ['sources', 'source'],
    ['Source', 'source'],
    ['dnsListen', 'dns-listen'],
    ['dns_listen', 'dns-listen'],
    ['DNS-LISTEN', 'dns-listen'],
    ['dns.listen', 'dns-listen'],
    ['--zone', 'zone'],
    ['interfaces', 'interface'],
    ['resync', 'resync-seconds'],
    ['resync-second', 'resync-seconds'],
    ['poolIPv4', 'pool-ipv4'],
    ['marathon-tokenfile', 'marathon-token-file'],
  ])('%s: %s was meant', (typed, meant) => {
    expect(refusalOf({ file: `"${typed}": x\n` })).toMatch(
      new RegExp(`^unknown option "${typed}" in /.*config\\.yaml: did you mean "${meant}"\\?$`),
    );
    const variable = `MARATHON_IPVS_${typed.replaceAll('-', '_').replaceAll('.', '_')}`;
    const name = inFile.find((one) => fileName(one) === meant);
    if (name === undefined || variable === variableName(name)) return;
    expect(refusalOf({ environment: { [variable]: 'x' } })).toBe(
      `unknown option "${variable}" in the environment: did you mean "${variableName(name)}"?`,
    );
  });

  test('one missing, doubled or swapped letter is recognized', () => {
    const names = inFile.map(fileName);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.nat(2), (name, where, how) => {
        const at = where % (name.length - 1);
        const [a = '', b = ''] = [name[at], name[at + 1]];
        const [before, after] = [name.slice(0, at), name.slice(at + 2)];
        const typed = before + ([b, a + a + b, b + a][how] ?? '') + after;
        if (names.includes(typed)) return;
        expect(nearest(typed, names)).not.toBeNull();
      }),
    );
  });
});

test('the error for an unknown name says where all are listed', () => {
  const list = 'marathon-ipvs run --help lists most of them, docs/options.md all';
  expect(refusalOf({ file: 'frobnicate: x\n' })).toMatch(`unknown option "frobnicate" in `);
  expect(refusalOf({ file: 'frobnicate: x\n' })).toMatch(new RegExp(`; ${list}$`));
  expect(refusalOf({ environment: { MARATHON_IPVS_FROB: 'x' } })).toBe(
    `unknown option "MARATHON_IPVS_FROB" in the environment; ${list}`,
  );
  for (const word of ['', '__proto__', 'x'.repeat(100_000), '\u{1f600}'])
    expect(nearest(word, ['source'])).toBeNull();
});
