/** Reports about the network namespaces of `--netns-dir`, for status, metrics and `doctor`. */

/** Times are milliseconds of the monotonic clock. */
export interface NamespaceReport {
  /** Name of its file. */
  readonly id: string;
  /** The path of the namespace; null when its file has none. */
  readonly path: string | null;
  /** Whether its table, interface and routes are as desired. */
  readonly isInSync: boolean;
  /** Why it is not in sync; null when it is. */
  readonly reason: string | null;
  /** Number of our VIPs in its table. */
  readonly vips: number;
  /** When `isInSync` last changed. */
  readonly since: number;
}

export interface NamespacesReport {
  readonly directory: string;
  /** Why the directory could not be read (earlier results stay); null when it could. */
  readonly failure: string | null;
  /** By id. */
  readonly namespaces: readonly NamespaceReport[];
}

/** How to run a command that fixes the network in another network namespace. */
export function namespaceHint(path: string): string {
  return `run a fix of the network in it, as \`nsenter --net=${path} COMMAND\``;
}
