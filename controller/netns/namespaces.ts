/** Which network namespaces a directory names, and which of them come and go. Pure. */

/** A network namespace to keep VIPs in. */
export interface Namespace {
  /** Name of its file: what the container runtime calls the container. */
  readonly id: string;
  /** What leads to it: `/proc/4242/ns/net`, `/run/netns/web`. */
  readonly path: string;
  /** Number of its inode: what tells it from all other namespaces of this host at this moment. */
  readonly inode: bigint;
}

/**
 * What a file says. `gone`: what it names is not there (any more). `unusable`: it cannot be read now, or names no namespace;
 * `reason` is for the operator.
 */
export type NamespaceFile =
  | ({ readonly kind: 'namespace' } & Omit<Namespace, 'id'>)
  | { readonly kind: 'gone' | 'unusable'; readonly reason: string };

export interface NamespaceRules {
  /** This program's own, which the host's passes keep. */
  readonly own: bigint;
  /** So many are kept at most. */
  readonly most: number;
}

export interface NamespaceChanges {
  /** All there are now, by id. */
  readonly namespaces: ReadonlyMap<string, Namespace>;
  /** A file that leads to another namespace than before is in both. What was removed goes first. */
  readonly removed: readonly Namespace[];
  readonly added: readonly Namespace[];
  /** Files that give no namespace, or not the one that they name now, with why. */
  readonly refused: readonly RefusedNamespace[];
}

export interface RefusedNamespace {
  readonly id: string;
  readonly reason: string;
  /** Of the namespace that it leads to; null: of none, or it cannot be told of which. */
  readonly inode: bigint | null;
}

/**
 * What a complete look at the files changes.
 *
 * A file that is `unusable` keeps the namespace that it last gave, since it may just be being written. Of several files that
 * lead to one namespace, and of more than are kept, those count that did so before, then the first by name.
 */
export function compareNamespaces(
  before: ReadonlyMap<string, Namespace>,
  files: ReadonlyMap<string, NamespaceFile>,
  rules: NamespaceRules,
): NamespaceChanges {
  const refused: RefusedNamespace[] = [];
  const namespaces = new Map<string, Namespace>();
  const byInode = new Map<bigint, string>();
  const take = (id: string, file: NamespaceFile) => {
    const had = before.get(id);
    if (file.kind !== 'namespace') refused.push({ id, reason: file.reason, inode: null });
    const now = file.kind === 'namespace' ? { id, path: file.path, inode: file.inode } : had;
    if (file.kind === 'gone' || now === undefined) return;
    const reason = refusal(now, byInode, namespaces.size, rules);
    if (reason !== null) {
      refused.push({ id, reason, inode: now.inode });
      return;
    }
    byInode.set(now.inode, id);
    namespaces.set(id, had !== undefined && had.inode === now.inode && had.path === now.path ? had : now);
  };
  for (const [id, file] of inOrder(before, files)) take(id, file);
  const differs = (one: Namespace, other: Namespace | undefined) => one.inode !== other?.inode;
  return {
    namespaces,
    removed: [...before.values()].filter((one) => differs(one, namespaces.get(one.id))),
    added: [...namespaces.values()].filter((one) => differs(one, before.get(one.id))),
    refused,
  };
}

/** Those that lead where they led before come first: what is kept is not let go for another one. */
function inOrder(
  before: ReadonlyMap<string, Namespace>,
  files: ReadonlyMap<string, NamespaceFile>,
): readonly (readonly [string, NamespaceFile])[] {
  const stays = (id: string, file: NamespaceFile) =>
    before.has(id) && (file.kind !== 'namespace' || file.inode === before.get(id)?.inode) ? 0 : 1;
  return [...files].sort(
    ([a, file], [b, other]) => stays(a, file) - stays(b, other) || (a < b ? -1 : Number(a > b)),
  );
}

function refusal(
  { path, inode }: Namespace,
  byInode: ReadonlyMap<bigint, string>,
  count: number,
  { own, most }: NamespaceRules,
): string | null {
  if (inode === own) return `${path} is the network namespace of this program itself`;
  const other = byInode.get(inode);
  if (other !== undefined) return `${path} is the namespace of ${other} too`;
  return count < most ? null : `${most} namespaces are kept already, and no more are`;
}
