/** Collects the files of a support bundle within limits, whatever fails. */

import { messageOf } from '../errors.ts';
import { withoutSecrets } from './free-text.ts';

/** One file of a bundle. */
export interface Part {
  readonly name: string;
  /** Which end to keep of a text that is too long. Defaults to the beginning. */
  readonly keep?: 'end';
  /** Rejects with the reason if there is nothing to collect. The signal aborts at the time limit. */
  collect(signal: AbortSignal): Promise<string>;
  /** Removes what must not leave the host. Without it the text is filtered as free text. */
  filter?(text: string): string;
}

export interface Collected {
  /** Ends in `.error` if the part failed. */
  readonly name: string;
  readonly text: string;
  /** Says that the part failed or was truncated; null if it is complete. */
  readonly note: string | null;
}

export interface Limits {
  /** Bytes of a file. */
  readonly file: number;
  /** Bytes of all files together. */
  readonly all: number;
  /** Milliseconds to collect a part. */
  readonly milliseconds: number;
}

export const LIMITS: Limits = { file: 8 * 1_024 * 1_024, all: 64 * 1_024 * 1_024, milliseconds: 20_000 };

/**
 * Collects all parts at once. A part that fails, or takes too long, becomes a file with the reason. Texts are filtered by their
 * part, reasons as free text, and `withoutKnown` removes known secrets from both, before texts are truncated. Rejects only with
 * the signal's reason, if that aborts.
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
    const note = kept === text ? null : `truncated: ${Buffer.byteLength(text)} bytes are too many`;
    return { name: part.name, text: kept, note };
  });
}

function failed({ name }: Part, reason: string): Collected {
  return { name: `${name}.error`, text: `${reason}\n`, note: `not collected: ${reason.split('\n')[0]}` };
}

/** Does not wait for a part that ignores its signal. */
async function within(
  part: Part,
  milliseconds: number,
  signal: AbortSignal,
): Promise<{ readonly text: string } | { readonly error: string }> {
  const late = new AbortController();
  // Not `AbortSignal.timeout`, whose timer does not keep the process alive.
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

/** Keeps whole lines from the beginning or the end of a text. */
function cut(text: string, bytes: number, end: boolean): string {
  const all = Buffer.from(text);
  if (all.length <= bytes) return text;
  if (!end) return all.subarray(0, all.lastIndexOf('\n', Math.max(0, bytes - 1)) + 1).toString();
  const start = all.indexOf('\n', all.length - bytes - 1);
  return start === -1 ? '' : all.subarray(start + 1).toString();
}
