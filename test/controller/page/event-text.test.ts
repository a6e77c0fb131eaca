import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEventReader } from '../../../controller/page/event-text.ts';

function read(...pieces: readonly string[]): readonly (readonly [string, string])[] {
  const heard: [string, string][] = [];
  const take = createEventReader((event, data) => heard.push([event, data]));
  for (const piece of pieces) take(piece);
  return heard;
}

test.each<[string, readonly (readonly [string, string])[]]>([
  ['event: all\ndata: {"a":1}\n\n', [['all', '{"a":1}']]],
  [
    'event: all\ndata: 1\n\nevent: changes\ndata: 2\n\n',
    [
      ['all', '1'],
      ['changes', '2'],
    ],
  ],
  ['data: a\ndata:b\n\n', [['message', 'a\nb']]],
  [': nothing\n\nevent: all\n\ndata: 1\n\n', [['message', '1']]],
  ['event: all\ndata: half', []],
  ['data: "a: b"\nid: 3\nretry\n\n', [['message', '"a: b"']]],
])('%j', (text, events) => {
  expect(read(text)).toEqual(events);
});

test('events are the same however their text is cut', () => {
  const event = fc.tuple(fc.constantFrom('all', 'changes'), fc.json());
  fc.assert(
    fc.property(fc.array(event), fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (events, sizes) => {
      const text = events.map(([name, data]) => `event: ${name}\ndata: ${data}\n\n`).join('');
      const pieces = [];
      for (let at = 0; at < text.length; ) {
        const size = sizes.next().value ?? 1;
        pieces.push(text.slice(at, at + size));
        at += size;
      }
      expect(read(...pieces)).toEqual(events);
    }),
  );
});
