import { quoted, visible } from '../visible.ts';
import type { Check } from './checks.ts';

export interface ChecksQuery {
  /** Names of checks that do not count. */
  readonly exclude: readonly string[];
  /** List every check, also when all have passed. */
  readonly verbose: boolean;
}

/**
 * The answer of a health endpoint, in the words of Kubernetes components: `ok`, or every check with `[+]` or `[-]` and
 * what there is to tell of it.
 */
export function checksText(
  endpoint: string,
  checks: readonly Check[],
  { exclude, verbose }: ChecksQuery,
): { readonly ok: boolean; readonly text: string } {
  const ok = checks.every((check) => check.ok || exclude.includes(check.name));
  if (ok && !verbose) return { ok, text: 'ok' };
  const lines = checks.map((check) => line(check, exclude.includes(check.name)));
  const unknown = exclude.filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) {
    const names = unknown.map((name) => quoted(name)).join(', ');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  lines.push(`${endpoint} check ${ok ? 'passed' : 'failed'}`);
  return { ok, text: lines.join('\n') };
}

function line({ name, ok, message }: Check, excluded: boolean): string {
  const told = message === null ? '' : `: ${visible(message)}`;
  if (excluded) return `[+]${visible(name)} excluded: ok${told}`;
  return ok ? `[+]${visible(name)} ok${told}` : `[-]${visible(name)} failed${told}`;
}
