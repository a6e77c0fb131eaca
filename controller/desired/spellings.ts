import { compareText } from '../compare-text.ts';
import type { Spelling } from './claims.ts';

/** How apps write the names of VIPs: two labels that only cleaning made equal may have been meant as two VIPs. */
export class Spellings {
  readonly #byName = new Map<string, readonly Spelling[]>();
  readonly #folded = new Map<string, readonly string[]>();

  /** One app writes names otherwise than before. */
  exchange(before: readonly Spelling[], now: readonly Spelling[]): void {
    const names = new Set([...before, ...now].map(({ fullName }) => fullName));
    for (const name of names) {
      const left = (this.#byName.get(name) ?? []).filter((one) => !before.includes(one));
      const all = [...left, ...now.filter(({ fullName }) => fullName === name)].sort(byPlaceAndText);
      if (all.length === 0) this.#byName.delete(name);
      else this.#byName.set(name, all);
      const told = foldedInto(name, all);
      if (told.length === 0) this.#folded.delete(name);
      else this.#folded.set(name, told);
    }
  }

  warnings(): readonly string[] {
    return [...this.#folded.values()].flat();
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
