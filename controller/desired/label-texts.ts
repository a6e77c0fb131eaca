import type { LabelState } from './claims.ts';

/**
 * The text of each VIP label when it was last valid: what counts while it is not. What is noted counts from `commit` on:
 * an update may be made again under other conditions.
 */
export class LabelTexts {
  readonly #texts: Map<string, string>;
  /** What is to be remembered instead; null: nothing. */
  readonly #noted = new Map<string, string | null>();

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = new Map(texts);
  }

  get all(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  /** The text that is remembered of a label; undefined where there is none. */
  textOf(label: string): string | undefined {
    return this.#texts.get(label);
  }

  /**
   * An app has these labels in the place of others. Unless all sources have been read (`complete`), nothing is forgotten,
   * and what is remembered is newer.
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

  /** There are no other labels than these. */
  noteAll(labels: Iterable<LabelState>): void {
    const all = [...labels];
    this.note([], all, true);
    const there = new Set(all.map(({ key }) => key));
    for (const key of this.#texts.keys()) if (!there.has(key)) this.#noted.set(key, null);
  }

  /** What was noted is remembered. Returns the labels of which something else was remembered before. */
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
