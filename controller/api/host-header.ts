import { isLoopback } from '../http/loopback.ts';

/**
 * Whether a `Host` header names loopback. This guards against DNS rebinding: a foreign site can make its own name resolve
 * to 127.0.0.1 and read our answers as its own, but its requests carry that name.
 */
export function namesLoopback(host: string): boolean {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [];
  if (bracketed !== undefined) return isLoopback(bracketed);
  return plain.toLowerCase().replace(/\.$/, '') === 'localhost' || isLoopback(plain);
}
