import { ControllerError } from '../errors.ts';
import { quoted } from '../text/visible.ts';
import type { VipQuery } from './facts.ts';

/**
 * Parses `NAME[:PORT][/udp]`: a name with or without framework and zone, an address (IPv6 in brackets before a port), an id as
 * `status` shows it (`tcp/11.0.0.1:80`), or an app (`/group/web`). Throws a `ControllerError` 'usage' if the text cannot
 * refer to a VIP.
 */
export function parseVipQuery(text: string): VipQuery {
  const { rest, protocol } = withoutProtocol(text.trim().toLowerCase());
  const { name, port } = withoutPort(rest);
  const isPort = port === null || (/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536);
  if (name === '' || name.includes('*') || !isPort) {
    throw new ControllerError(
      'usage',
      `why: ${quoted(text)} is not accepted, expected NAME[:PORT][/udp] of one VIP`,
      { retry: 'never' },
    );
  }
  return { text, name, port: port === null ? null : Number(port), protocol };
}

function withoutProtocol(text: string): { rest: string; protocol: VipQuery['protocol'] } {
  for (const protocol of ['tcp', 'udp'] as const) {
    if (text.startsWith(`${protocol}/`)) return { rest: text.slice(4), protocol };
    // An app's id may end in `/udp`.
    if (!text.startsWith('/') && text.endsWith(`/${protocol}`)) return { rest: text.slice(0, -4), protocol };
  }
  return { rest: text, protocol: null };
}

function withoutPort(text: string): { name: string; port: string | null } {
  const [, bracketed, behind] = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? [];
  if (bracketed !== undefined) return { name: bracketed, port: behind ?? null };
  const at = text.indexOf(':');
  if (at < 0 || text.includes(':', at + 1)) return { name: withoutDot(text), port: null };
  return { name: withoutDot(text.slice(0, at)), port: text.slice(at + 1) };
}

/** Removes the trailing dot of a fully qualified DNS name. */
function withoutDot(name: string): string {
  return name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name;
}
