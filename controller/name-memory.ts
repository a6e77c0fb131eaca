/** What must be remembered from pass to pass, and across a restart. */
export interface NameMemory {
  /** `label.framework` in cleaned form -> its addresses. Kept while any app declares the name. */
  readonly addresses: ReadonlyMap<string, NamedAddresses>;
  /** Text of each VIP label when it was last valid; key made by `desired/`. */
  readonly labels: ReadonlyMap<string, string>;
}

export interface NamedAddresses {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** Nothing is remembered yet. */
export const EMPTY_NAME_MEMORY: NameMemory = { addresses: new Map(), labels: new Map() };
