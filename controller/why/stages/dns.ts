import type { AddressedVip, NameAnswer, NamesFact } from '../facts.ts';
import { broken, note, ok, unknown, type Verdict } from '../verdict.ts';

const SET_UP = 'docs/dns.md explains the setup for each kind of resolver';

/**
 * Checks that the client resolves the name to the VIP. A resolver takes the first answer, even "no such name", and queries the
 * next server only if one is silent or fails.
 */
export function checkDns({
  vip,
  names,
}: {
  readonly vip: AddressedVip & { readonly fqdn: string };
  readonly names: NamesFact;
}): Verdict[] {
  if ('error' in names) return [unknown(`cannot query the client's name servers: ${names.error}`)];
  const { hosts, servers, path, ours, answers } = names;
  const { fqdn, address } = vip;
  if (hosts.includes(address)) return [ok(`the hosts file resolves ${fqdn} to ${address}`)];
  if (hosts.length > 0) {
    const found = `the hosts file resolves ${fqdn} to ${hosts.join(', ')}, not to ${address}`;
    return [broken('hosts-file', found, `remove the line with ${fqdn} from the hosts file of the client`)];
  }
  if (servers === null) return [unknown(`${path} cannot be read`)];
  if (servers.length === 0) {
    return [
      broken(
        'no-name-server',
        `${path} lists no name server`,
        `add "nameserver ${ours[0] ?? 'ADDRESS'}" there: ${SET_UP}`,
      ),
    ];
  }
  const inOrder = servers.flatMap((server) => answers.find((answer) => answer.server === server) ?? []);
  const deciding = inOrder.find(({ error }) => error === null || NO_SUCH_NAME.has(error));
  if (deciding === undefined) return [noneAnswers(inOrder, names)];
  if (deciding.error !== null) return [notKnown(deciding, fqdn, names)];
  if (!deciding.addresses.includes(address)) {
    const found = `${deciding.server} resolves ${fqdn} to ${deciding.addresses.join(', ')}, not to ${address}`;
    return [
      broken(
        'wrong-address',
        found,
        `marathon-ipvs diff shows this host's address of the VIP; make ${deciding.server} forward the zone to this host: ${SET_UP}`,
      ),
    ];
  }
  const silent = inOrder.slice(0, inOrder.indexOf(deciding));
  return [
    ok(`${deciding.server} resolves ${fqdn} to ${address}`),
    ...silent.map(({ server, error }) =>
      note(`${server}, which is queried first, does not answer: ${inWords(error)}`),
    ),
  ];
}

/** Codes of negative answers. */
const NO_SUCH_NAME: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);
/** Codes that mean no answer at all. */
const SILENCE: ReadonlySet<string> = new Set([
  'ETIMEOUT',
  'ECONNREFUSED',
  'ECANCELLED',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

function noneAnswers(
  tried: readonly NameAnswer[],
  names: Exclude<NamesFact, { readonly error: string }>,
): Verdict {
  const texts = tried.map(({ server, error }) => `${server}: ${inWords(error)}`).join('; ');
  const silent = tried.every(({ error }) => SILENCE.has(error ?? ''));
  if (!silent) {
    return broken(
      'name-server-fails',
      texts,
      `check the log of that server: the server that it forwards the zone to does not answer; ${SET_UP}`,
    );
  }
  const isOurs = tried.some(({ server }) => names.ours.includes(server));
  return broken(
    'name-server-silent',
    texts,
    isOurs
      ? 'start the controller, which answers there: systemctl start marathon-ipvs; ss -lun shows whether it is listening'
      : `repair that server, or list one that answers in ${names.path}: ${SET_UP}`,
  );
}

function notKnown(
  { server, error }: NameAnswer,
  fqdn: string,
  { ours, answers, path }: Exclude<NamesFact, { readonly error: string }>,
): Verdict {
  const own = answers.find((answer) => ours.includes(answer.server) && answer.server !== server);
  const ownAnswer =
    own === undefined
      ? ''
      : own.error === null
        ? `; the controller's own server, ${own.server}, does`
        : `; nor does the controller's own server, ${own.server}: ${inWords(own.error)}`;
  return broken(
    'name-not-known',
    `${server} does not know ${fqdn}: ${inWords(error)}${ownAnswer}`,
    ours.length === 0
      ? 'the controller serves no DNS (--dns-listen off): switch it on, or let clients use the address'
      : `make that server forward the zone to ${ours[0]}, or list ${ours[0]} first in ${path}: ${SET_UP}`,
  );
}

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such name',
  ENODATA: 'the name has no address of this family',
  ETIMEOUT: 'no answer',
  ECANCELLED: 'no answer',
  ECONNREFUSED: 'nothing listens there',
  ESERVFAIL: 'server failure',
  EREFUSED: 'it refuses to answer',
};

function inWords(error: string | null): string {
  return WORDS[error ?? ''] ?? error ?? 'answered';
}
