import type { LabelState } from './claims.ts';

/**
 * The last valid text of each VIP label, which counts while the label is invalid. Noted texts take effect at `commit`,
 * since an update may be repeated under other conditions.
 */
export class LabelTexts {
  readonly #texts: Map<string, string>;
  /** Changes that `commit` will make; null removes a text. */
  readonly #noted = new Map<string, string | null>();

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = new Map(texts);
  }

  get all(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  /** The last valid text of a label; undefined when there is none. */
  textOf(label: string): string | undefined {
    return this.#texts.get(label);
  }

  /**
   * Replaces the labels of an app. Until all sources have been read (`complete`), nothing is forgotten, and a remembered
   * text counts as newer than the label's.
   */
  note(before: readonly LabelState[], now: readonly LabelState[], complete: boolean): void {
    const there = new Set(now.map(({ key }) => key));
    for (const { key } of before) if (complete && !there.has(key)) this.#noted.set(key, null);
    for (const { key, valid } of now) {
      const had = this.#texts.get(key);
      if (valid === null || valid === had || (!complete && had !== undefined)) this.#noted.delete(key);
      else this.#noted.set(key, valid);
    }
  }

  /** The same for all labels of all apps: every other label is forgotten. */
  noteAll(labels: Iterable<LabelState>): void {
    const all = [...labels];
    this.note([], all, true);
    const there = new Set(all.map(({ key }) => key));
    for (const key of this.#texts.keys()) if (!there.has(key)) this.#noted.set(key, null);
  }

  /** Applies the noted changes. Returns the labels whose last valid text changed. */
  commit(): readonly string[] {
    const changed = [...this.#noted.keys()];
    for (const [key, text] of this.#noted) {
      if (text === null) this.#texts.delete(key);
      else this.#texts.set(key, text);
    }
    this.#noted.clear();
    return changed;
  }
}
