import { endpointKey } from '../../model/endpoint.ts';
import type { Cause } from '../causes.ts';
import type { AddressedVip, ConnectionAttempt, ConnectionsFact } from '../facts.ts';
import { broken, note, ok, unknown, type Verdict } from '../verdict.ts';

type Attempts = Exclude<ConnectionsFact, { readonly error: string }>;

/** Checks that connections to the backends and through the VIP succeed. */
export function checkConnections({
  vip,
  connections,
}: {
  readonly vip: AddressedVip;
  readonly connections: ConnectionsFact;
}): Verdict[] {
  if ('error' in connections) return [unknown(`cannot try connections: ${connections.error}`)];
  const failed = connections.vip.filter(({ outcome }) => outcome !== 'connected');
  const unreachable = connections.backends.filter(({ outcome }) => outcome !== 'connected');
  if (failed.length === 0) return [answered(vip, connections), ...unreachable.map(noteOf)];
  const [first] = unreachable;
  if (first !== undefined) return [backendFails(first, unreachable, connections)];
  return [vipFails(failed, connections)];
}

/** All connections succeeded: checks that IPVS handled them, if its entries can be read. */
function answered({ address, port }: AddressedVip, { vip, entries, backends }: Attempts): Verdict {
  const text = `${vip.length} of ${vip.length} connections to ${endpointKey({ address, port })} succeed`;
  if (entries === null) return ok(text);
  // The entry of an ended connection with the same client port stays for two minutes, so a few prove nothing.
  if (entries.size < vip.length / 2) {
    const handled = entries.size === 0 ? 'no entry for any' : `an entry for only ${entries.size}`;
    return broken(
      'answered-elsewhere',
      `${text}, but IPVS has ${handled} of them: another program, or its packet-filter rule, takes them`,
      'ss -ltnp shows what listens on this port, nft list ruleset and iptables-save -t nat show what translates it: move that to another port',
    );
  }
  const used = new Set([...entries.values()].map(({ backend }) => endpointKey(backend)));
  return ok(
    `${text}, by ${used.size} of ${backends.length} backends: ${[...used].sort().slice(0, MAX_NAMED).join(', ')}`,
  );
}

const MAX_NAMED = 4;

function noteOf({ address, port, outcome }: ConnectionAttempt): Verdict {
  return note(`${endpointKey({ address, port })} does not answer this host directly: ${inWords(outcome)}`);
}

const BACKEND: Readonly<Record<string, { readonly cause: Cause; readonly fix: string }>> = {
  ECONNREFUSED: {
    cause: 'backend-refuses',
    fix: 'nothing listens there, or a firewall rejects it: make the task listen on the port that Marathon assigned, on all addresses; check with ss -ltn on that host',
  },
  timeout: {
    cause: 'backend-silent',
    fix: 'make the firewalls on that host, and on the path to it, accept packets from this host; tcpdump there shows whether packets arrive',
  },
};
const UNREACHABLE = {
  cause: 'backend-unreachable',
  fix: 'ip route get shows the route to it: repair the network or the host; Marathon still reports the task as running',
} as const;

function backendFails(
  first: ConnectionAttempt,
  failed: readonly ConnectionAttempt[],
  { backends }: Attempts,
): Verdict {
  const { cause, fix } = BACKEND[first.outcome] ?? UNREACHABLE;
  const texts = failed.slice(0, MAX_NAMED).map((each) => `${endpointKey(each)}: ${inWords(each.outcome)}`);
  return broken(
    cause,
    `${failed.length} of ${backends.length} backends do not answer this host: ${texts.join('; ')}`,
    fix,
  );
}

function vipFails(failed: readonly ConnectionAttempt[], { vip, entries }: Attempts): Verdict {
  const [first] = failed;
  const outcome = first?.outcome ?? 'timeout';
  const text = `every backend answers, but ${failed.length} of ${vip.length} connections through the VIP fail: ${inWords(outcome)}`;
  if (outcome === 'EADDRNOTAVAIL') {
    return broken(
      'ports-used-up',
      `${text}: the client has no source port left for this VIP`,
      'sysctl -w net.ipv4.ip_local_port_range="1024 65535" in the client\'s network namespace, and make clients reuse connections',
    );
  }
  if (outcome === 'ECONNREFUSED') {
    return broken(
      'vip-refuses',
      text,
      'marathon-ipvs doctor lists possible causes; nft list ruleset and iptables-save show rules that reject packets to this address',
    );
  }
  if (outcome !== 'timeout') {
    return broken(
      'client-unreachable',
      text,
      'give the client a route to the pool through this host: ip route add 11.0.0.0/8 via the address of this host',
    );
  }
  const found = failed
    .map(({ localPort }) => entries?.get(localPort ?? -1))
    .filter((each) => each !== undefined);
  const [entry] = found;
  if (entry !== undefined) {
    return broken(
      'no-answer',
      `${text}; IPVS forwarded them (${entry.state} to ${endpointKey(entry.backend)}), but no reply comes back`,
      'replies must pass through this host, see docs/data-path.md; marathon-ipvs doctor lists missing settings',
    );
  }
  if (entries === null)
    return broken('no-answer', text, 'marathon-ipvs doctor lists what is missing on this host');
  return broken(
    'not-at-ipvs',
    `${text}; IPVS has no entry for them: packets are lost before they reach it`,
    'nft list ruleset and iptables-save show rules that drop packets to this address: make them accept it',
  );
}

const WORDS: Readonly<Record<string, string>> = {
  timeout: 'no answer within 2 s',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'no route to that host',
  ENETUNREACH: 'no route to that network',
};

function inWords(outcome: string): string {
  return WORDS[outcome] ?? outcome;
}
