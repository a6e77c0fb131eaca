import { expect, test } from '@jest/globals';
import { MAX_NOTES_BYTES } from '../../../controller/relay/annotations.ts';
import { assign } from '../../../controller/relay/assignment.ts';

test('where each slice is filled by one member, an ended one moves no other', () => {
  const members = Array.from({ length: 40 }, (_, i) => `member-${String(i).padStart(2, '0')}`);
  const bytesOf = () => 0.9 * MAX_NOTES_BYTES;
  const before = assign(members, () => undefined, bytesOf);
  expect(before).toHaveLength(40);
  const membersOf = (n: number) => before.find((slice) => slice.n === n)?.members;
  expect(assign(members.slice(1), membersOf, bytesOf)).toEqual(before.slice(1));
});
