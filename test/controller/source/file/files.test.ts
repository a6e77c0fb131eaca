import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type App, appKey } from '../../../../controller/model/app.ts';
import type { Snapshot } from '../../../../controller/model/snapshot.ts';
import type { FileContent } from '../../../../controller/source/file/content.ts';
import { Files } from '../../../../controller/source/file/files.ts';
import { app, port, task } from '../../../support/builders.ts';
import { type Reads, watched } from '../watched.ts';

const NAMES = ['a.json', 'b.json', 'c.json'];

function content(apps: readonly App[], what: Partial<FileContent> = {}): FileContent {
  const byKey = new Map(apps.map((each) => [appKey(each), each]));
  return { apps: byKey, rejected: [], agents: new Map(), stamp: '', ...what };
}

const someApp: fc.Arbitrary<App> = fc
  .record({
    id: fc.constantFrom('/a', '/b', '/c'),
    vip: fc.constantFrom('/x:80', '/y:80'),
    seen: fc.boolean(),
  })
  .map(({ id, vip, seen }) =>
    app(id, {
      ports: [port({ VIP_0: vip })],
      tasks: [task(`${id.slice(1)}.1`, [])],
      ...(seen && { fromTasks: true }),
    }),
  );

const someContent = fc
  .record({ apps: fc.array(someApp, { maxLength: 3 }), rejected: fc.boolean(), listed: fc.boolean() })
  .map(({ apps, rejected, listed }) =>
    content(apps, {
      ...(rejected && { rejected: [{ app: '/bad', at: 'x', value: '', reason: 'r' }] }),
      ...(listed && { listed: ['10.0.0.1'] }),
    }),
  );
const change = fc.tuple(fc.constantFrom(...NAMES), fc.option(someContent));

function filesOf(contents: ReadonlyMap<string, FileContent>): Files {
  const files = new Files();
  for (const [path, each] of contents) files.set(path, each);
  return files;
}

test('after any history of files, the result equals a fresh read of the existing ones', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const files = new Files();
      const there = new Map<string, FileContent>();
      const listener = new Map<string, App>();
      for (const [path, now] of changes) {
        files.set(path, now);
        if (now === null) there.delete(path);
        else there.set(path, now);
        for (const [key, each] of files.takeChanged()) {
          if (each === null) listener.delete(key);
          else listener.set(key, each);
        }
        const expected: Snapshot = filesOf(there).snapshot;
        expect(files.snapshot).toEqual(expected);
        expect(listener).toEqual(new Map(expected.apps.map((each) => [appKey(each), each])));
      }
    }),
  );
});

test('if several files define an app, the first by name counts, and after its removal the next', () => {
  const [first, second] = [app('/a', { ports: [port({ VIP_0: '/x:80' })] }), app('/a')];
  const files = filesOf(new Map([['b.json', content([second])]]));
  files.set('a.json', content([first]));
  expect(files.snapshot.apps).toEqual([first]);
  expect(files.about.rejected).toMatchObject([{ app: '/a', reason: expect.stringContaining('b.json') }]);
  files.set('a.json', null);
  expect(files.snapshot.apps).toEqual([second]);
  expect(files.about.rejected).toEqual([]);
});

test('a file that changed costs as much with a thousand others as with ten', () => {
  const ofTen = readsOfOneChange(10);
  expect(ofTen).toBeGreaterThan(0);
  expect(readsOfOneChange(1_000)).toBe(ofTen);
});

/** How often anything of any content or app is read for one file that changes and one that goes. */
function readsOfOneChange(count: number): number {
  const reads: Reads = { count: 0 };
  const contentOf = (id: string) => watched(content([watched(app(id), reads)]), reads);
  const files = new Files();
  for (let i = 0; i < count; i += 1) files.set(`${i}.json`, contentOf(`/${i}`));
  files.takeChanged();
  reads.count = 0;
  files.set('0.json', contentOf('/0'));
  files.set('1.json', null);
  expect(files.takeChanged().size).toBe(2);
  expect(files.about.rejected).toEqual([]);
  return reads.count;
}
