import { textOf } from '../../doctor/read/text.ts';
import type { Client, NamesFact, Reachable } from '../facts.ts';
import { attemptFrom } from './client.ts';

const WAIT_MS = 1_500;

/** Of the name server that this program serves. */
export interface OwnServers {
  readonly address: string;
  readonly port: number;
}

/**
 * Sends the question that a client's resolver sends, to each name server of its resolv.conf, and to our own. Never rejects.
 */
export async function readNames(
  { fqdn, address }: Reachable & { readonly fqdn: string },
  client: Client,
  own: readonly OwnServers[],
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
  const questions = all.map((server) => ({ server, name: fqdn, family }) as const);
  const answers = await attemptFrom(client, { questions, connections: [], waitMs: WAIT_MS });
  if ('error' in answers) return answers;
  const given = entriesFor(fqdn, (await textOf(hosts)) ?? '').filter(
    (each) => each.includes(':') === (family === 6),
  );
  return { hosts: given, servers, path: resolv, answers: answers.names, ours };
}

/** A container's files are in its own root; of a namespace with a name, where `ip netns exec` looks for them. */
async function filesOf(client: Client): Promise<{ readonly hosts: string; readonly resolv: string }> {
  const [, pid] = /^\/proc\/(\d+)\/ns\/net$/.exec(client ?? '') ?? [];
  const root = pid === undefined ? '' : `/proc/${pid}/root`;
  // A path to where `ip netns` keeps them means the same as the name alone.
  const netns = client?.replace(/^(?:\/var)?\/run\/netns\//, '') ?? null;
  const file = async (name: string) => {
    const own = `/etc/netns/${netns}/${name}`;
    return netns !== null && pid === undefined && (await textOf(own)) !== null ? own : `${root}/etc/${name}`;
  };
  return { hosts: await file('hosts'), resolv: await file('resolv.conf') };
}

/** Addresses that a hosts file gives a name. */
function entriesFor(name: string, text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    return names.some((each) => each.toLowerCase() === name) ? [address] : [];
  });
}

function inBrackets({ address, port }: OwnServers): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
