import { execFile } from 'node:child_process';
import type { FiltersFact } from '../facts.ts';

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Lists the rules of this network namespace as each program prints them; null if it is missing or prints nothing. Never rejects. */
export async function readFilters(): Promise<FiltersFact> {
  const [nftables, iptables, ip6tables] = await Promise.all([
    output('nft', '-j', 'list', 'ruleset'),
    // `nft` also lists the rules of iptables-nft, so that only legacy ones are missing.
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
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_BYTES,
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    };
    execFile(program, args, options, (error, stdout) =>
      resolve(error === null && stdout !== '' ? stdout : null),
    );
  });
}
