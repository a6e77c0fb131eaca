import { compareText } from '../compare.ts';
import type { Spelling } from './claims.ts';

/** How labels write each name. Two labels that only cleaning makes equal may have been meant as two VIPs. */
export class Spellings {
  readonly #byName = new Map<string, readonly Spelling[]>();

  /** Replaces the spellings of one app. */
  exchange(before: readonly Spelling[], now: readonly Spelling[]): void {
    const names = new Set([...before, ...now].map(({ fullName }) => fullName));
    for (const name of names) {
      const left = (this.#byName.get(name) ?? []).filter((one) => !before.includes(one));
      const all = [...left, ...now.filter(({ fullName }) => fullName === name)].toSorted(byPlaceAndText);
      if (all.length === 0) this.#byName.delete(name);
      else this.#byName.set(name, all);
    }
  }

  warnings(): readonly string[] {
    return [...this.#byName].flatMap(([name, all]) => foldedInto(name, all));
  }
}

function foldedInto(name: string, [first, ...others]: readonly Spelling[]): readonly string[] {
  if (first === undefined) return [];
  return others
    .filter(({ written }) => written !== first.written)
    .map((other) => `${quoted(first)} and ${quoted(other)} are one VIP: ${name}`);
}

function quoted({ written, place }: Spelling): string {
  return `${written} (${place})`;
}

function byPlaceAndText(a: Spelling, b: Spelling): number {
  return compareText(a.place, b.place) || compareText(a.written, b.written);
}
