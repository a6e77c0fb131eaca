import { quoted, visible } from '../text/visible.ts';
import type { Check } from './checks.ts';

export interface ChecksQuery {
  /** Names of checks to leave out of the result. */
  readonly exclude: readonly string[];
  /** List every check even if all pass. */
  readonly verbose: boolean;
}

/**
 * Formats the body of a health endpoint as Kubernetes components do: `ok`, or one line for each check that begins with `[+]`
 * or `[-]`.
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
  const note = message === null ? '' : `: ${visible(message)}`;
  if (excluded) return `[+]${visible(name)} excluded: ok${note}`;
  return ok ? `[+]${visible(name)} ok${note}` : `[-]${visible(name)} failed${note}`;
}
