import { textOf } from '../../doctor/read/text.ts';
import type { AddressedVip, Client, NamesFact } from '../facts.ts';
import { attemptFrom } from './client.ts';

const WAIT_MS = 1_500;

/** An address that this program's own name server listens on. */
export interface OwnServer {
  readonly address: string;
  readonly port: number;
}

/** Resolves the name as the client would, through its hosts file and name servers, and through our own server. Never rejects. */
export async function readNames(
  { fqdn, address }: AddressedVip & { readonly fqdn: string },
  client: Client,
  own: readonly OwnServer[],
): Promise<NamesFact> {
  const { hosts, resolv } = await filesOf(client);
  const text = await textOf(resolv);
  const servers =
    text === null
      ? null
      : [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap(([, server]) => server ?? []);
  const ours = own.map((each) => (each.port === 53 ? each.address : inBrackets(each)));
  const all = [...new Set([...(servers ?? []), ...ours])];
  const family = address.includes(':') ? 6 : 4;
  const queries = all.map((server) => ({ server, name: fqdn, family }) as const);
  const answers = await attemptFrom(client, { queries, connections: [], waitMs: WAIT_MS });
  if ('error' in answers) return answers;
  const given = entriesFor(fqdn, (await textOf(hosts)) ?? '').filter(
    (each) => each.includes(':') === (family === 6),
  );
  return { hosts: given, servers, path: resolv, answers: answers.names, ours };
}

/** Finds the client's files: below a container's root, or where `ip netns exec` looks for those of a named namespace. */
async function filesOf(client: Client): Promise<{ readonly hosts: string; readonly resolv: string }> {
  const [, pid] = /^\/proc\/(\d+)\/ns\/net$/.exec(client ?? '') ?? [];
  const root = pid === undefined ? '' : `/proc/${pid}/root`;
  // The path of a namespace that `ip netns` made means the same as its name.
  const netns = client?.replace(/^(?:\/var)?\/run\/netns\//, '') ?? null;
  const file = async (name: string) => {
    const own = `/etc/netns/${netns}/${name}`;
    return netns !== null && pid === undefined && (await textOf(own)) !== null ? own : `${root}/etc/${name}`;
  };
  return { hosts: await file('hosts'), resolv: await file('resolv.conf') };
}

/** The addresses of a name in a hosts file. */
function entriesFor(name: string, text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    return names.some((each) => each.toLowerCase() === name) ? [address] : [];
  });
}

function inBrackets({ address, port }: OwnServer): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
