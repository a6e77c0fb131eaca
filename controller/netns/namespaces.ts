/** Determines which network namespaces were added and removed. Pure. */

/** A network namespace to keep VIPs in. */
export interface Namespace {
  /** Name of its file, which is the container's name in the container runtime. */
  readonly id: string;
  /** Path of the namespace: `/proc/4242/ns/net`, `/run/netns/web`. */
  readonly path: string;
  /** Inode, unique among the host's namespaces at this moment. */
  readonly inode: bigint;
}

/**
 * The content of a file. `gone`: the namespace that it names does not exist. `unusable`: the file cannot be read, or names no
 * namespace. `reason` is for the operator.
 */
export type NamespaceFile =
  | ({ readonly kind: 'namespace' } & Omit<Namespace, 'id'>)
  | { readonly kind: 'gone' | 'unusable'; readonly reason: string };

export interface NamespaceRules {
  /** Inode of this program's own namespace, which the host's passes keep. */
  readonly own: bigint;
  /** Maximum number of namespaces. */
  readonly max: number;
}

export interface NamespaceChanges {
  /** All current namespaces, by id. */
  readonly namespaces: ReadonlyMap<string, Namespace>;
  /** To be handled before `added`. A file that leads to another namespace than before is in both. */
  readonly removed: readonly Namespace[];
  readonly added: readonly Namespace[];
  /** Files that are not used, with the reason. */
  readonly refused: readonly RefusedNamespace[];
}

export interface RefusedNamespace {
  readonly id: string;
  readonly reason: string;
  /** Inode of its namespace; null if unknown. */
  readonly inode: bigint | null;
}

/**
 * Compares the current files with the namespaces found before.
 *
 * A file that is `unusable` keeps its last namespace, since it may be in the middle of being written. If several files lead to
 * the same namespace, or there are too many, files already in use take precedence, then the first by name.
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

/** Files with the same namespace as before come first, so that they are not displaced by others. */
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
  { own, max }: NamespaceRules,
): string | null {
  if (inode === own) return `${path} is the network namespace of this program itself`;
  const other = byInode.get(inode);
  if (other !== undefined) return `${path} is already the namespace of ${other}`;
  return count < max ? null : `there are already ${max} namespaces, the maximum`;
}
