/** What the kernel lacks, and what it has too much, against what is wanted. */

import { type AppSpec, inPools } from './cluster.ts';
import type { DrainWatch } from './drain-watch.ts';
import type { Printed, PrintedService } from './printed.ts';
import type { Wanted, WantedService } from './wanted.ts';

interface Situation {
  readonly kernel: Printed;
  readonly wanted: Wanted;
  readonly apps: readonly AppSpec[];
  /** Services of other programs. */
  readonly foreign: ReadonlyMap<string, unknown>;
  readonly adopt: boolean;
  /** Where given, backends that rightly drain are no surplus. */
  readonly drains: DrainWatch | null;
  /** Services that may have backends, and weights, of before. */
  readonly held: ReadonlySet<string>;
}

/** One line for each thing that is not as it should be. */
export function shortfall(situation: Situation): readonly string[] {
  const { kernel, wanted, foreign, adopt, held } = situation;
  const complaints: string[] = [];
  for (const [key, want] of wanted.services) {
    if (held.has(key)) continue;
    if (!foreign.has(key)) complaints.push(...lacking(key, want, kernel.get(key), situation));
    else if (adopt || inPools(want.address)) complaints.push(`${key} is wanted and not adopted`);
  }
  for (const [key, have] of kernel) {
    if (!foreign.has(key) && !held.has(key)) complaints.push(...surplus(key, have, situation));
  }
  return complaints;
}

function lacking(
  key: string,
  want: WantedService,
  have: PrintedService | undefined,
  { drains }: Pick<Situation, 'drains'>,
): readonly string[] {
  // In the end nothing grows any more.
  const mayGrow = want.grows && drains !== null;
  const backends = [...want.backends].map(([endpoint, full]) => {
    const there = have?.backends.get(endpoint);
    const weight = mayGrow && isTenths(there?.weight, full) ? there?.weight : full;
    return difference(`${endpoint} of ${key}`, there, { weight, rest: '-m' });
  });
  const someIsFull = [...want.backends].some(
    ([at, full]) => full > 0 && have?.backends.get(at)?.weight === full,
  );
  const inRotation = [...want.backends.values()].some((weight) => weight > 0);
  const full = inRotation && !someIsFull ? [`no backend of ${key} has its full weight`] : [];
  return [difference(`the service ${key}`, have?.settings, want.settings), ...backends, full].flat();
}

/** One to nine tenths of the full weight. */
function isTenths(weight: number | undefined, full: number): boolean {
  return weight !== undefined && weight > 0 && weight < full && weight % (full / 10) === 0;
}

function surplus(
  key: string,
  { backends }: PrintedService,
  { wanted, apps, drains }: Situation,
): readonly string[] {
  const want = wanted.services.get(key);
  const more = [...backends].filter(([endpoint]) => want?.backends.has(endpoint) !== true);
  const wrong = more.filter(([at, { weight }]) => weight > 0 || drains?.mayDrain(key, at, apps) !== true);
  const complaints = wrong.map(([endpoint]) => `${endpoint} of ${key} is left and nobody wants it`);
  if (want === undefined && more.length === 0) complaints.push(`${key} is left and nobody wants it`);
  return complaints;
}

/** Nothing, or one line. */
export function difference(what: string, is: unknown, should: unknown): readonly string[] {
  const [have, want] = [JSON.stringify(is), JSON.stringify(should)];
  return have === want ? [] : [`${what} is ${have} and should be ${want}`];
}
