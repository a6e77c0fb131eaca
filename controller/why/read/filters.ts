import { execFile } from 'node:child_process';
import type { FiltersFact } from '../facts.ts';

const ANSWER_MS = 5_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** The rules of this network namespace in the words of their own programs; null where one is not here or has nothing. Never rejects. */
export async function readFilters(): Promise<FiltersFact> {
  const [nftables, iptables, ip6tables] = await Promise.all([
    output('nft', '-j', 'list', 'ruleset'),
    // What iptables keeps in nftables, nft lists too.
    firstOf('iptables-legacy-save', 'iptables-save'),
    firstOf('ip6tables-legacy-save', 'ip6tables-save'),
  ]);
  return { nftables, iptables, ip6tables };
}

async function firstOf(...programs: readonly string[]): Promise<string | null> {
  for (const program of programs) {
    const text = await output(program);
    if (text !== null) return text;
  }
  return null;
}

async function output(program: string, ...args: readonly string[]): Promise<string | null> {
  return await new Promise((resolve) => {
    const options = {
      timeout: ANSWER_MS,
      maxBuffer: MOST_BYTES,
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    };
    execFile(program, args, options, (error, stdout) =>
      resolve(error === null && stdout !== '' ? stdout : null),
    );
  });
}
