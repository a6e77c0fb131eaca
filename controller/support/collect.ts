/** Collects what a bug report needs, within limits, whatever fails. */

import { messageOf } from '../errors.ts';
import { withoutSecrets } from './free-text.ts';

/** One file of a bundle. */
export interface Part {
  readonly name: string;
  /** Which end matters where the text is too long; the beginning by default. */
  readonly keep?: 'end';
  /** Rejects with why there is nothing to collect. The signal aborts when its time is over. */
  collect(signal: AbortSignal): Promise<string>;
  /** What of the text may leave the host; without this it is filtered as free text. */
  filter?(text: string): string;
}

export interface Collected {
  /** Of a part that failed with `.error` behind it. */
  readonly name: string;
  readonly text: string;
  /** For a list: that it failed, or was cut; null where it is complete. */
  readonly note: string | null;
}

export interface Limits {
  /** Bytes of one file. */
  readonly file: number;
  /** Bytes of all of them. */
  readonly all: number;
  /** Milliseconds that one may take. */
  readonly milliseconds: number;
}

export const LIMITS: Limits = { file: 8 * 1_024 * 1_024, all: 64 * 1_024 * 1_024, milliseconds: 20_000 };

/**
 * Collects every part at once. A part that fails, or is late, is a file that says why. Every text is filtered by its part,
 * every reason as free text, and `withoutKnown` takes the known secrets out of both, before a text is cut to size. Rejects
 * only with the signal's reason, when that aborts.
 */
export async function collect(
  parts: readonly Part[],
  withoutKnown: (text: string) => string,
  signal: AbortSignal,
  limits = LIMITS,
): Promise<readonly Collected[]> {
  const collected = await Promise.all(
    parts.map(async (part) => {
      const found = await within(part, limits.milliseconds, signal);
      signal.throwIfAborted();
      return 'error' in found
        ? failed(part, withoutKnown(withoutSecrets(found.error)))
        : { part, text: withoutKnown(found.text) };
    }),
  );
  let left = limits.all;
  return collected.map((one): Collected => {
    if ('note' in one) return one;
    const { part, text } = one;
    const kept = cut(text, Math.min(limits.file, left), part.keep === 'end');
    left -= Buffer.byteLength(kept);
    const note = kept === text ? null : `cut: ${Buffer.byteLength(text)} bytes are too many`;
    return { name: part.name, text: kept, note };
  });
}

function failed({ name }: Part, reason: string): Collected {
  return { name: `${name}.error`, text: `${reason}\n`, note: `not collected: ${reason.split('\n')[0]}` };
}

/** A part that does not heed its signal is not waited for. */
async function within(
  part: Part,
  milliseconds: number,
  signal: AbortSignal,
): Promise<{ readonly text: string } | { readonly error: string }> {
  const late = new AbortController();
  // Not `AbortSignal.timeout`: the process would not wait for it.
  const timer = setTimeout(() => late.abort(), milliseconds);
  const both = AbortSignal.any([signal, late.signal]);
  const { promise: over, reject } = Promise.withResolvers<never>();
  both.addEventListener('abort', () => reject(new Error(`not within ${milliseconds / 1_000} s`)), {
    once: true,
  });
  try {
    const text = await Promise.race([part.collect(both), over]);
    return { text: part.filter?.(text) ?? withoutSecrets(text) };
  } catch (error) {
    return { error: late.signal.aborted ? `not within ${milliseconds / 1_000} s` : messageOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Whole lines from the beginning or the end, so that no secret is cut before it is known as one. */
function cut(text: string, bytes: number, end: boolean): string {
  const all = Buffer.from(text);
  if (all.length <= bytes) return text;
  if (!end) return all.subarray(0, all.lastIndexOf('\n', Math.max(0, bytes - 1)) + 1).toString();
  const start = all.indexOf('\n', all.length - bytes - 1);
  return start === -1 ? '' : all.subarray(start + 1).toString();
}
