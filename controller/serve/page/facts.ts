/** What the page needs to know before it asks for anything. */
export interface PageFacts {
  /** DNS zone of named VIPs. */
  readonly zone: string;
  /** Framework in the names that the form shows. */
  readonly framework: string;
  /** Nothing is written to the kernel: the diff is what people come for. */
  readonly dryRun: boolean;
  /** Apps may be written, with a token. */
  readonly writes: boolean;
}
