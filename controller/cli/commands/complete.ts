import type { Environment } from '../../config/given.ts';
import { grammar } from '../completion/grammar.ts';
import { type LookUp, offersFor } from '../completion/offers.ts';
import { FILES_LINE } from '../completion/scripts.ts';

/**
 * What `marathon-ipvs __complete WORDS…` prints for the scripts of shells: a line for each word that the last one can become,
 * `VALUE<tab>DESCRIPTION`, and `:files` where a file is meant. Words that cannot be found out are left out without a word.
 */
export async function complete(
  words: readonly string[],
  environment: Environment,
  signal: AbortSignal,
): Promise<string> {
  const known: LookUp = async (what, typed) => {
    try {
      // Options and commands come twice as fast without it.
      const { lookUp } = await import('./known-words.ts');
      return await lookUp(what, typed, environment, signal);
    } catch {
      // Whoever presses the key wants a word, or nothing.
      return [];
    }
  };
  const offers = await offersFor(words, grammar(), known);
  const lines = offers.words.map(({ value, description }) => `${value}\t${description}`);
  return [...lines, ...(offers.files ? [FILES_LINE] : [])].map((line) => `${line}\n`).join('');
}
