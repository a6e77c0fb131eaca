/** What kind of server is asked: what messages call it, and how it says things. */
export interface Peer {
  /** `Marathon`, `Mesos`. */
  readonly name: string;
  /** `a Marathon`, `a Mesos master`: what the address should be of. */
  readonly kind: string;
  /** Where an operator says what we know of it, for advice. */
  readonly options: PeerOptions;
  /** What to do where the credentials are good and not enough. */
  readonly rights: string;
  /** What 502, 503 and 504 mean. */
  readonly unavailable: string;
  /** What its own error bodies say; null for what a proxy or another server says. */
  ownMessage(body: string): string | null;
  /** Whether an answer with this status and own message says that there is no such thing. */
  isAbsent(status: number, said: string | null): boolean;
  /** The leader that this answer of `url` names, as a URL; undefined when it names none. */
  leaderIn(answer: AnswerHead, url: URL): string | undefined;
}

/**
 * By what an operator gives the address of a server, the two kinds of credentials and the CA: `--source`,
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
