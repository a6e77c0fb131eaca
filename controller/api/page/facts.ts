/** What the page needs to know before its first API request. Visible to everyone who can reach the address. */
export interface PageFacts {
  /** DNS zone of named VIPs. */
  readonly zone: string;
  /** Framework in the DNS names that the app form shows. */
  readonly framework: string;
  /** Whether the controller only plans, and writes nothing to the kernel. */
  readonly dryRun: boolean;
  /** Whether apps can be written, with a token or a certificate. */
  readonly writes: boolean;
  /** Whether a read token is configured; a write token allows reading too. */
  readonly readToken: boolean;
}

/** The facts for one browser. */
export interface ShellFacts extends PageFacts {
  /** Whether the browser has presented an accepted client certificate, so that it needs no token. */
  readonly certified: boolean;
}
