/** What is remembered about names and labels, from pass to pass and across a restart. */
export interface NameMemory {
  /** Addresses by name (`label.framework`, cleaned). Kept as long as an app declares the name. */
  readonly addresses: ReadonlyMap<string, NamedAddresses>;
  /** The last valid text of each VIP label. */
  readonly labels: ReadonlyMap<string, string>;
}

export interface NamedAddresses {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** Nothing is remembered yet. */
export const EMPTY_NAME_MEMORY: NameMemory = { addresses: new Map(), labels: new Map() };
