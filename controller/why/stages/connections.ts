import { endpointKey } from '../../model.ts';
import type { Cause } from '../causes.ts';
import type { ConnectionsFact, Reachable, Tried } from '../facts.ts';
import { broken, note, ok, unknown, type Verdict } from '../verdict.ts';

type Tries = Exclude<ConnectionsFact, { readonly error: string }>;

/** Whether connections to the backends, and through the VIP, are answered; where not, what became of them. */
export function checkConnections({
  vip,
  connections,
}: {
  readonly vip: Reachable;
  readonly connections: ConnectionsFact;
}): Verdict[] {
  if ('error' in connections) return [unknown(`no connection could be tried: ${connections.error}`)];
  const failed = connections.vip.filter(({ outcome }) => outcome !== 'connected');
  const deaf = connections.backends.filter(({ outcome }) => outcome !== 'connected');
  if (failed.length === 0) return [answered(vip, connections), ...deaf.map(noteOf)];
  const [first] = deaf;
  if (first !== undefined) return [backendFails(first, deaf, connections)];
  return [vipFails(failed, connections)];
}

/** All were answered; by a backend of ours, as far as IPVS has an entry for them. */
function answered({ address, port }: Reachable, { vip, entries, backends }: Tries): Verdict {
  const text = `${vip.length} of ${vip.length} connections to ${endpointKey({ address, port })} are answered`;
  if (entries === null) return ok(text);
  if (entries.size === 0) {
    return broken(
      'answered-elsewhere',
      `${text}, and IPVS has no entry for any of them: another program, or a rule of another program, takes them`,
      'ss -ltnp shows what listens on this port, nft list ruleset and iptables-save -t nat what translates it: move that to another port',
    );
  }
  const used = new Set([...entries.values()].map(({ backend }) => endpointKey(backend)));
  return ok(
    `${text}, by ${used.size} of ${backends.length} backends: ${[...used].sort().slice(0, SHOWN).join(', ')}`,
  );
}

const SHOWN = 4;

function noteOf({ address, port, outcome }: Tried): Verdict {
  return note(`${endpointKey({ address, port })} does not answer this host itself: ${inWords(outcome)}`);
}

const BACKEND: Readonly<Record<string, { readonly cause: Cause; readonly fix: string }>> = {
  ECONNREFUSED: {
    cause: 'backend-refuses',
    fix: 'nothing listens there, or a firewall rejects it: let the task listen on the port that Marathon gave it, on all addresses; ss -ltn on that host',
  },
  timeout: {
    cause: 'backend-silent',
    fix: 'let the firewalls of that host, and on the way to it, accept this host; tcpdump there shows whether packets arrive',
  },
};
const UNREACHABLE = {
  cause: 'backend-unreachable',
  fix: 'ip route get shows the way to it: repair the network or the host, Marathon still calls the task running',
} as const;

function backendFails(first: Tried, deaf: readonly Tried[], { backends }: Tries): Verdict {
  const { cause, fix } = BACKEND[first.outcome] ?? UNREACHABLE;
  const texts = deaf.slice(0, SHOWN).map((each) => `${endpointKey(each)}: ${inWords(each.outcome)}`);
  return broken(
    cause,
    `${deaf.length} of ${backends.length} backends do not answer this host: ${texts.join('; ')}`,
    fix,
  );
}

function vipFails(failed: readonly Tried[], { vip, entries }: Tries): Verdict {
  const [first] = failed;
  const outcome = first?.outcome ?? 'timeout';
  const text = `every backend answers, and ${failed.length} of ${vip.length} connections through the VIP fail: ${inWords(outcome)}`;
  if (outcome === 'EADDRNOTAVAIL') {
    return broken(
      'ports-used-up',
      `${text}: the client has no source port left towards this VIP`,
      'sysctl -w net.ipv4.ip_local_port_range="1024 65535" in the namespace of the client, and let clients keep their connections',
    );
  }
  if (outcome === 'ECONNREFUSED') {
    return broken(
      'vip-refuses',
      text,
      'marathon-ipvs doctor names what closes it; nft list ruleset and iptables-save show who rejects packets to this address',
    );
  }
  if (outcome !== 'timeout') {
    return broken(
      'client-unreachable',
      text,
      'give the client a route to the pool by this host: ip route add 11.0.0.0/8 via the address of this host',
    );
  }
  const found = failed
    .map(({ localPort }) => entries?.get(localPort ?? -1))
    .filter((each) => each !== undefined);
  const [entry] = found;
  if (entry !== undefined) {
    return broken(
      'no-answer',
      `${text}; IPVS sent them on (${entry.state} to ${endpointKey(entry.backend)}), and the answer does not come back`,
      'the answers must pass this host: docs/data-path.md has the cases; marathon-ipvs doctor names settings that are missing',
    );
  }
  if (entries === null)
    return broken('no-answer', text, 'marathon-ipvs doctor names what is missing on this host');
  return broken(
    'not-at-ipvs',
    `${text}; IPVS has no entry for them: packets are lost before they get there`,
    'nft list ruleset and iptables-save show who drops packets to this address; let them accept it',
  );
}

const WORDS: Readonly<Record<string, string>> = {
  timeout: 'no answer within 2 s',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'no way to that host',
  ENETUNREACH: 'no route to that network',
};

function inWords(outcome: string): string {
  return WORDS[outcome] ?? outcome;
}
