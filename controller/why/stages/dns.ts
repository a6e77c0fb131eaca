import type { NameAnswer, NamesFact, Reachable } from '../facts.ts';
import { broken, note, ok, unknown, type Verdict } from '../verdict.ts';

const SET_UP = 'docs/dns.md has the set-up for each kind of resolver';

/**
 * Whether the name leads the client to the VIP. A resolver takes the first answer, also one that says that there is no such
 * name; it asks the next server only where one is silent or fails.
 */
export function checkDns({
  vip,
  names,
}: {
  readonly vip: Reachable & { readonly fqdn: string };
  readonly names: NamesFact;
}): Verdict[] {
  if ('error' in names) return [unknown(`the client's name servers could not be asked: ${names.error}`)];
  const { hosts, servers, path, ours, answers } = names;
  const { fqdn, address } = vip;
  if (hosts.includes(address)) return [ok(`the hosts file leads ${fqdn} to ${address}`)];
  if (hosts.length > 0) {
    const found = `the hosts file leads ${fqdn} to ${hosts.join(', ')}, not to ${address}`;
    return [broken('hosts-file', found, `remove the line with ${fqdn} from the hosts file of the client`)];
  }
  if (servers === null) return [unknown(`${path} cannot be read`)];
  if (servers.length === 0) {
    return [
      broken(
        'no-name-server',
        `${path} names no server`,
        `write "nameserver ${ours[0] ?? 'ADDRESS'}" there: ${SET_UP}`,
      ),
    ];
  }
  const told = servers.flatMap((server) => answers.find((answer) => answer.server === server) ?? []);
  const deciding = told.find(({ error }) => error === null || NO_SUCH_NAME.has(error));
  if (deciding === undefined) return [noneAnswers(told, names)];
  if (deciding.error !== null) return [notKnown(deciding, fqdn, names)];
  if (!deciding.addresses.includes(address)) {
    const found = `${deciding.server} leads ${fqdn} to ${deciding.addresses.join(', ')}, not to ${address}`;
    return [
      broken(
        'wrong-address',
        found,
        `marathon-ipvs diff shows the address of this host's VIP; let ${deciding.server} forward the zone to this host: ${SET_UP}`,
      ),
    ];
  }
  const silent = told.slice(0, told.indexOf(deciding));
  return [
    ok(`${deciding.server} leads ${fqdn} to ${address}`),
    ...silent.map(({ server, error }) =>
      note(`${server}, which is asked before, does not answer: ${inWords(error)}`),
    ),
  ];
}

/** Codes of an answer that says that there is nothing. */
const NO_SUCH_NAME: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);
/** Nobody said anything. */
const SILENCE: ReadonlySet<string> = new Set([
  'ETIMEOUT',
  'ECONNREFUSED',
  'ECANCELLED',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

function noneAnswers(
  told: readonly NameAnswer[],
  names: Exclude<NamesFact, { readonly error: string }>,
): Verdict {
  const texts = told.map(({ server, error }) => `${server}: ${inWords(error)}`).join('; ');
  const silent = told.every(({ error }) => SILENCE.has(error ?? ''));
  if (!silent) {
    return broken(
      'name-server-fails',
      texts,
      `look at the log of that server: what it forwards the zone to does not answer it; ${SET_UP}`,
    );
  }
  const isOurs = told.some(({ server }) => names.ours.includes(server));
  return broken(
    'name-server-silent',
    texts,
    isOurs
      ? 'start the controller, which answers there: systemctl start marathon-ipvs; ss -lun shows whether it listens'
      : `repair that server, or name one that answers in ${names.path}: ${SET_UP}`,
  );
}

function notKnown(
  { server, error }: NameAnswer,
  fqdn: string,
  { ours, answers, path }: Exclude<NamesFact, { readonly error: string }>,
): Verdict {
  const own = answers.find((answer) => ours.includes(answer.server) && answer.server !== server);
  const beside =
    own === undefined
      ? ''
      : own.error === null
        ? `; our own, ${own.server}, does`
        : `; nor does our own, ${own.server}: ${inWords(own.error)}`;
  return broken(
    'name-not-known',
    `${server} does not know ${fqdn}: ${inWords(error)}${beside}`,
    ours.length === 0
      ? 'the controller serves no names (--dns-listen off): switch that on, or let clients use the address'
      : `let that server forward the zone to ${ours[0]}, or write it first into ${path}: ${SET_UP}`,
  );
}

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such name',
  ENODATA: 'the name has no such address',
  ETIMEOUT: 'no answer',
  ECANCELLED: 'no answer',
  ECONNREFUSED: 'nobody listens',
  ESERVFAIL: 'server failure',
  EREFUSED: 'it refuses to answer',
};

function inWords(error: string | null): string {
  return WORDS[error ?? ''] ?? error ?? 'answered';
}
