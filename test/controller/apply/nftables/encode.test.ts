import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { fingerprint, replaceElements, replaceTable } from '../../../../controller/apply/nftables/encode.ts';
import { createRuleset, type FilterInput } from '../../../../controller/apply/nftables/ruleset.ts';
import { fromHex, hex } from '../../../support/hex.ts';

/** The addresses of table.nft, which is what `nft list table` prints of this ruleset. */
const input: FilterInput = {
  vips: { ipv4: ['11.0.0.0/8', '192.168.77.7'], ipv6: ['fd01:c::/64'] },
  servers: { ipv4: ['198.51.100.4'], ipv6: [] },
  hostAddress: { ipv4: null, ipv6: 'fd09::1' },
};
const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
const NEW_SET = 'a09';
const NEW_RULE = 'a06';
const SET_USERDATA = 13;
const RULE_USERDATA = 7;

const byNft = read('sent-by-nft.txt')
  .split('\n')
  .filter((line) => /^[0-9a-f]/.test(line));
const byUs = replaceTable(createRuleset(input)).map(
  ({ type, flags, payload }) => `${type.toString(16)} ${(flags | 1).toString(16)} ${hex(payload)}`,
);

/** A message without one of its attributes, and that attribute's value. */
function apart(line: string, attribute: number): { readonly rest: string; readonly value: string } {
  const [type = '', flags = '', ...words] = line.split(' ');
  const bytes = Buffer.from(fromHex(words.join('')));
  const kept = [bytes.subarray(0, 4)];
  let value = '';
  for (let at = 4; at < bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    const end = at + ((length + 3) & ~3);
    if (bytes.readUInt16LE(at + 2) === attribute) value = bytes.subarray(at + 4, at + length).toString('hex');
    else kept.push(bytes.subarray(at, end));
    at = end;
  }
  return { rest: `${type} ${flags} ${hex(Buffer.concat(kept))}`, value };
}

const of = (lines: readonly string[], type: string) => lines.filter((line) => line.startsWith(`${type} `));

describe('our table as the kernel is told of it', () => {
  test('chains and members of sets are, byte for byte, what nft sends', () => {
    for (const type of ['a03', 'a0c']) {
      expect(of(byUs, type).length).toBeGreaterThan(0);
      expect(of(byUs, type)).toEqual(of(byNft, type));
    }
  });

  test('sets are what nft sends, apart from its notes for itself on the set that packets fill', () => {
    expect(of(byUs, NEW_SET).slice(0, 4)).toEqual(of(byNft, NEW_SET).slice(0, 4));
    const [ours = '', theirs = ''] = [byUs, byNft].map((lines) => of(lines, NEW_SET)[4]);
    expect(ours).toBe(apart(theirs, SET_USERDATA).rest);
  });

  test('rules are what nft sends; besides the comment they carry the mark of the whole', () => {
    const ours = of(byUs, NEW_RULE).map((line) => apart(line, RULE_USERDATA));
    const theirs = of(byNft, NEW_RULE).map((line) => apart(line, RULE_USERDATA));
    expect(ours.map(({ rest }) => rest)).toEqual(theirs.map(({ rest }) => rest));
    const mark = Buffer.from(fingerprint(createRuleset(input))).toString('hex');
    expect(ours.map(({ value }) => value)).toEqual(theirs.map(({ value }) => `${value}6d08${mark}`));
  });

  test('it is added, deleted and added anew in one transaction, so that it does not matter what was there', () => {
    expect(byUs.slice(0, 3).map((line) => line.slice(0, 3))).toEqual(['a00', 'a02', 'a00']);
    // The last one changes nothing: it takes the answer for the transaction as a whole.
    expect(byUs.at(-1)).toBe(byUs[0]);
  });
});

describe('the mark of a ruleset', () => {
  const markOf = (change: Partial<FilterInput>) =>
    Buffer.from(fingerprint(createRuleset({ ...input, ...change }))).toString('hex');

  test('stays while only addresses of VIPs and servers change, which are compared by themselves', () => {
    expect(markOf({ vips: { ipv4: ['10.0.0.0/8'], ipv6: [] } })).toBe(markOf({}));
  });

  test('is another one when a rule is', () => {
    expect(markOf({ hostAddress: { ipv4: '10.9.0.1', ipv6: null } })).not.toBe(markOf({}));
  });
});

test('a set is emptied and filled in one transaction, in pieces that an attribute can hold', () => {
  const many = Array.from({ length: 1_500 }, (_, index) => `172.16.${index >> 7}.${(index & 127) * 2}`);
  const [vips] = createRuleset({ ...input, vips: { ipv4: many, ipv6: [] } }).sets;
  if (vips === undefined) throw new Error('no set');
  const messages = replaceElements([vips]);
  expect(messages.map(({ what }) => what)).toEqual([
    'empty set vips4',
    ...Array(4).fill('fill set vips4'),
    'add table inet marathon_ipvs',
  ]);
  for (const { payload } of messages) expect(payload.length).toBeLessThan(65_535);
});
