/** The kind of server that a client talks to: its names in messages, and how to read its errors. */
export interface Peer {
  /** `Marathon`, `Mesos`. */
  readonly name: string;
  /** With its article: `a Marathon`, `a Mesos master`. */
  readonly kind: string;
  /** The options that configure it, for advice in messages. */
  readonly options: PeerOptions;
  /** Advice if the credentials are accepted but lack the rights. */
  readonly rights: string;
  /** What 502, 503 and 504 mean. */
  readonly unavailable: string;
  /** The message in its own error body; null if the body comes from a proxy or another server. */
  ownMessage(body: string): string | null;
  /** Whether an answer with this status and own message says that the requested object does not exist. */
  isAbsent(status: number, message: string | null): boolean;
  /** The leader that this answer of `url` names, as a URL; undefined if it names none. */
  leaderIn(answer: AnswerHead, url: URL): string | undefined;
}

/**
 * How the operator configured the address of a server, its two kinds of credentials and its CA: `--source`,
 * `MARATHON_IPVS_SOURCE`, or `source in /etc/marathon-ipvs.yaml`.
 */
export interface PeerOptions {
  readonly address: string;
  readonly userFile: string;
  readonly tokenFile: string;
  readonly caFile: string;
}

export interface AnswerHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}
