/** Numbers of the IANA registry "Domain Name System (DNS) Parameters". */

export const TYPE = {
  A: 1,
  NS: 2,
  SOA: 6,
  PTR: 12,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

export const CLASS_IN = 1;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  /** Split on the wire: the OPT record holds the upper eight bits. */
  BADVERS: 16,
} as const;

const typeNames = new Map<number, string>(Object.entries(TYPE).map(([name, number]) => [number, name]));
const rcodeNames = new Map<number, string>(Object.entries(RCODE).map(([name, number]) => [number, name]));

/** Whether `typeName` knows the type. */
export function isKnownType(type: number): boolean {
  return typeNames.has(type);
}

/** `AAAA`; `other` for types that this server does not serve. */
export function typeName(type: number): string {
  return typeNames.get(type) ?? 'other';
}

/** `NXDOMAIN`. */
export function rcodeName(rcode: number): string {
  return rcodeNames.get(rcode) ?? 'other';
}
