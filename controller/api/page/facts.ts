/** What the page needs to know before it asks for anything. Whoever reaches the address may see it. */
export interface PageFacts {
  /** DNS zone of named VIPs. */
  readonly zone: string;
  /** Framework in the names that the form shows. */
  readonly framework: string;
  /** Nothing is written to the kernel: the diff is what people come for. */
  readonly dryRun: boolean;
  /** Apps may be written, with a token or a certificate. */
  readonly writes: boolean;
  /** There is a token that lets one read; whoever may write may read. */
  readonly readToken: boolean;
}

/** With what is known of the browser that the page was sent to. */
export interface ShownFacts extends PageFacts {
  /** It has shown a certificate that does for everything: it is asked for no token. */
  readonly certified: boolean;
}
