/** The reported state of the network namespaces of `--netns-dir`. */

/** Times are milliseconds of the monotonic clock. */
export interface NamespaceReport {
  /** Name of its file. */
  readonly id: string;
  /** Path of the namespace; null if its file gives none. */
  readonly path: string | null;
  /** Whether its table, interface and routes are as desired. */
  readonly isInSync: boolean;
  /** Why it is not in sync; null if it is. */
  readonly reason: string | null;
  /** The controller's VIPs in its table. */
  readonly vips: number;
  /** When `isInSync` last changed. */
  readonly since: number;
}

export interface NamespacesReport {
  readonly directory: string;
  /** Why the directory cannot be read, while the namespaces found before are kept; null if it can. */
  readonly failure: string | null;
  /** By id. */
  readonly namespaces: readonly NamespaceReport[];
}

/** Explains how to run a fix in another network namespace. */
export function namespaceHint(path: string): string {
  return `run network fixes inside it with \`nsenter --net=${path} COMMAND\``;
}
