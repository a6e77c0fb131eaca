import { describe, expect, test } from '@jest/globals';
import {
  compareNamespaces,
  type Namespace,
  type NamespaceFile,
} from '../../../controller/netns/namespaces.ts';

const RULES = { own: 1n, max: 3 };

function file(inode: number, path = `/proc/${inode}/ns/net`): NamespaceFile {
  return { kind: 'namespace', path, inode: BigInt(inode) };
}

function known(...inodes: readonly (readonly [string, number])[]): Map<string, Namespace> {
  return new Map(
    inodes.map(([id, inode]) => [id, { id, path: `/proc/${inode}/ns/net`, inode: BigInt(inode) }]),
  );
}

function compare(before: Map<string, Namespace>, files: Record<string, NamespaceFile>, rules = RULES) {
  const changes = compareNamespaces(before, new Map(Object.entries(files)), rules);
  return {
    kept: Object.fromEntries([...changes.namespaces].map(([id, { inode }]) => [id, Number(inode)])),
    added: changes.added.map(({ id }) => id),
    removed: changes.removed.map(({ id }) => id),
    refused: changes.refused.map(({ id, reason }) => `${id}: ${reason}`),
    changes,
  };
}

describe('the namespaces that files name', () => {
  test('a new file adds its namespace, and a removed one removes it', () => {
    const { kept, added, removed } = compare(known(['a', 10]), { b: file(20) });
    expect([kept, added, removed]).toEqual([{ b: 20 }, ['b'], ['a']]);
  });

  test('a file that leads to another namespace removes the old one and adds the new one', () => {
    const { added, removed, changes } = compare(known(['a', 10]), { a: file(20) });
    expect([added, removed]).toEqual([['a'], ['a']]);
    expect([changes.removed[0]?.inode, changes.added[0]?.inode]).toEqual([10n, 20n]);
  });

  test('another path to the same namespace changes nothing but the path', () => {
    const { added, removed, changes } = compare(known(['a', 10]), { a: file(10, '/run/netns/a') });
    expect([added, removed]).toEqual([[], []]);
    expect(changes.namespaces.get('a')?.path).toBe('/run/netns/a');
  });

  test('a file that cannot be used keeps its last namespace, and is reported', () => {
    const { kept, removed, refused } = compare(known(['a', 10]), {
      a: { kind: 'unusable', reason: 'it is empty' },
      b: { kind: 'unusable', reason: 'it is empty' },
    });
    expect([kept, removed, refused]).toEqual([{ a: 10 }, [], ['a: it is empty', 'b: it is empty']]);
  });

  test('a namespace that is gone is removed even if its file stays', () => {
    const { kept, removed, refused } = compare(known(['a', 10]), { a: { kind: 'gone', reason: 'no file' } });
    expect([kept, removed, refused]).toEqual([{}, ['a'], ['a: no file']]);
  });

  test("the program's own namespace is never taken for a container's", () => {
    const { kept, refused } = compare(new Map(), { a: file(1) });
    expect([kept, refused]).toEqual([
      {},
      ['a: /proc/1/ns/net is the network namespace of this program itself'],
    ]);
  });

  test('of two files of one namespace, the one that had it keeps it', () => {
    expect(compare(known(['b', 10]), { a: file(10), b: file(10) })).toMatchObject({
      kept: { b: 10 },
      added: [],
      removed: [],
      refused: ['a: /proc/10/ns/net is already the namespace of b'],
    });
    expect(compare(new Map(), { b: file(10), a: file(10) }).kept).toEqual({ a: 10 });
  });

  test('if the file that had a namespace disappears, another one takes it over', () => {
    const { kept, added, removed } = compare(known(['a', 10]), { b: file(10) });
    expect([kept, added, removed]).toEqual([{ b: 10 }, ['b'], ['a']]);
  });

  test('two files that swap their namespaces are both removed and added', () => {
    const { kept, added, removed } = compare(known(['a', 10], ['b', 20]), { a: file(20), b: file(10) });
    expect([kept, added, removed]).toEqual([{ a: 20, b: 10 }, ['a', 'b'], ['a', 'b']]);
  });

  test('namespaces beyond the maximum are refused and displace none', () => {
    const before = known(['x', 10], ['y', 11], ['z', 12]);
    const { kept, refused } = compare(before, { a: file(20), x: file(10), y: file(11), z: file(12) });
    expect(kept).toEqual({ x: 10, y: 11, z: 12 });
    expect(refused).toEqual(['a: there are already 3 namespaces, the maximum']);
  });
});
