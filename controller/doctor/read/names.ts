import { Resolver } from 'node:dns/promises';
import { readlink } from 'node:fs/promises';
import type { NamesFact } from '../facts.ts';
import { textOf } from './text.ts';

const ANSWER_MS = 1_000;

/** Reads the host's name servers, and asks them for the zone. Returns null if /etc/resolv.conf cannot be read. */
export async function readNames(zone: string, root = ''): Promise<NamesFact | null> {
  const text = await textOf(`${root}/etc/resolv.conf`);
  if (text === null) return null;
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap(([, server]) => server ?? []);
  const link = await readlink(`${root}/etc/resolv.conf`).catch(() => null);
  return {
    servers,
    link,
    zone: servers.length === 0 ? { known: false, answer: 'no name server' } : await query(zone),
  };
}

async function query(zone: string): Promise<NamesFact['zone']> {
  const resolver = new Resolver({ timeout: ANSWER_MS, tries: 1 });
  const timeout = setTimeout(() => resolver.cancel(), 3 * ANSWER_MS);
  try {
    const { nsname } = await resolver.resolveSoa(zone);
    return { known: true, answer: nsname };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    return { known: false, answer: code };
  } finally {
    clearTimeout(timeout);
  }
}
