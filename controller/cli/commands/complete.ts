import type { Environment } from '../../config/option-text.ts';
import { grammar } from '../completion/grammar.ts';
import { type LookUp, offersFor } from '../completion/offers.ts';
import { FILES_LINE } from '../completion/scripts.ts';

/**
 * The output of `marathon-ipvs __complete WORDS…` for the completion scripts: a line `VALUE<tab>DESCRIPTION` for each
 * completion of the last word, and `:files` where a file is accepted. Names whose lookup fails are left out silently.
 */
export async function complete(
  words: readonly string[],
  environment: Environment,
  signal: AbortSignal,
): Promise<string> {
  const lookUp: LookUp = async (kind, typed) => {
    try {
      // Imported only when needed: without it, options and commands are completed twice as fast.
      const { lookUpNames } = await import('./look-up-names.ts');
      return await lookUpNames(kind, typed, environment, signal);
    } catch {
      // An error message in the middle of typing would only disturb.
      return [];
    }
  };
  const offers = await offersFor(words, grammar(), lookUp);
  const lines = offers.words.map(({ value, description }) => `${value}\t${description}`);
  return [...lines, ...(offers.files ? [FILES_LINE] : [])].map((line) => `${line}\n`).join('');
}
