/** The network namespaces of `--netns-dir`: the words in which they are told. */

/** Times are milliseconds of the monotonic clock. */
export interface NamespaceReport {
  /** Name of its file. */
  readonly id: string;
  /** What leads to it; null where its file gives none. */
  readonly path: string | null;
  /** Whether its table, interface and routes are as desired. */
  readonly isInSync: boolean;
  /** Why not, or what is still to come; null where it is in sync. */
  readonly reason: string | null;
  /** VIPs that its table has of us. */
  readonly vips: number;
  /** Since when it is in sync, or not. */
  readonly since: number;
}

export interface NamespacesReport {
  readonly directory: string;
  /** Why the directory could not be looked at; what was found before stays. null: it could. */
  readonly failure: string | null;
  /** By id. */
  readonly namespaces: readonly NamespaceReport[];
}

/** How a command that fixes the network is run in another network namespace. */
export function namespaceHint(path: string): string {
  return `run a fix of the network in it, as \`nsenter --net=${path} COMMAND\``;
}
