/** Endpoints, and the keys that are made of them. */

/** The protocols of VIPs, as on DC/OS. A port with another protocol has no VIP. */
export type Protocol = 'tcp' | 'udp';

/** An address in its text form (`10.0.0.1`, `fd01:c::7`, no brackets) and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Identifies a backend within its service: `10.0.0.1:31000`, `[fd01:b::2]:80`. */
export type BackendKey = string;

// Keys are kept by the hundred thousand. What a template puts together keeps its parts, which takes three times the memory of
// the text; what is joined does not.

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function endpointKey({ address, port }: Endpoint): BackendKey {
  return [address.includes(':') ? `[${address}]` : address, port].join(':');
}
