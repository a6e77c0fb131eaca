import { type Address, parseAddress, unusableAsVip } from '../address.ts';

/** The parsed value of a VIP label. */
export type VipValue =
  /** `label`: as written, without the leading slash; not yet cleaned for DNS. */
  | { readonly kind: 'name'; readonly label: string; readonly port: number }
  | { readonly kind: 'address'; readonly address: Address; readonly port: number };

/** Why a value is not a VIP. An `ignored` one is only worth a warning, as on DC/OS. */
export interface VipProblem {
  readonly kind: 'problem';
  readonly reason: string;
  readonly ignored: boolean;
}

export const EXPECTED_VIP = 'expected NAME:PORT or IP:PORT';

/**
 * Parses the value of a VIP label: `/my-service:5555`, `10.1.2.3:80` or `fd01:c::1:8080` (split at the last colon).
 *
 * As in dcos-net, a value that strictly parses as an address is an IP VIP and everything else is a name, so
 * `/10.1.2.3:80` is a name. An address that no VIP can have is a problem.
 */
export function parseVipLabel(value: string): VipValue | VipProblem {
  const colon = value.lastIndexOf(':');
  if (colon < 0) return problem(EXPECTED_VIP);

  const target = value.slice(0, colon);
  const port = parsePort(value.slice(colon + 1));
  if (port === null) return problem(`${EXPECTED_VIP}, with a port from 1 to 65535`);

  // Erlang, too, reads an address with a zone as the address.
  const address = parseAddress(withoutZone(target) ?? target);
  if (address !== null) {
    const unusable = unusableAsVip(address);
    return unusable === null ? { kind: 'address', address, port } : problem(unusable);
  }
  const label = target.startsWith('/') ? target.slice(1) : target;
  if (label === '') return { kind: 'problem', reason: `${EXPECTED_VIP}; the name is empty`, ignored: true };

  const inBrackets = /^\[(.*)\]$/.exec(label)?.[1] ?? '';
  const unbracketed = withoutZone(inBrackets) ?? inBrackets;
  if (unbracketed.includes(':') && parseAddress(unbracketed) !== null) {
    return problem(`${EXPECTED_VIP}; write the address without brackets: ${unbracketed}:${port}`);
  }
  return { kind: 'name', label, port };
}

/** `fe80::1` of `fe80::1%eth0`; null for what has no zone, or is no IPv6 address with one. */
export function withoutZone(text: string): string | null {
  const percent = text.indexOf('%');
  const address = text.slice(0, percent);
  return percent > 0 && address.includes(':') && parseAddress(address) !== null ? address : null;
}

/**
 * Decimal, 1 to 65535. A plus sign and leading zeros are accepted because Erlang's `binary_to_integer` accepts them, and a
 * label that worked on DC/OS must work here. dcos-net checks no upper bound, but the kernel has 16 bits.
 */
function parsePort(text: string): number | null {
  const port = /^\+?\d+$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}

function problem(reason: string): VipProblem {
  return { kind: 'problem', reason, ignored: false };
}
