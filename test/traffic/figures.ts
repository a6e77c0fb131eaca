/** What a client counts of one kind of request. */

export interface Figures {
  readonly requests: number;
  readonly failed: number;
  /** UDP queries that were answered only when they were sent a second time. */
  readonly again: number;
  readonly slowestMs: number;
  /** The first failures: when, and in which words. */
  readonly reasons: readonly string[];
}

export const KINDS = ['new connections', 'keep-alive', 'UDP'] as const;
export type Kind = (typeof KINDS)[number] | 'held';
/** How many a second. */
export const RATES = { 'new connections': 20, 'keep-alive': 10, UDP: 20 } as const;
export type FiguresByKind = Readonly<Partial<Record<Kind, Figures>>>;

/** What a client saw during one scenario. */
export interface Result {
  readonly what: string;
  readonly seconds: number;
  readonly figures: FiguresByKind;
  /** How long after an instance was asked to end, at most, a client still came to it. */
  readonly latestMs: number;
}

const REASONS_KEPT = 5;

/** Counts until it is emptied; a request counts when it has ended. */
export class Counter {
  readonly #by = new Map<Kind, Figures>();

  succeeded(kind: Kind, ms: number, again = false): void {
    this.#add(kind, ms, { again });
  }

  failed(kind: Kind, ms: number, reason: string): void {
    this.#add(kind, ms, { reason });
  }

  look(): FiguresByKind {
    return Object.fromEntries(this.#by);
  }

  take(): FiguresByKind {
    const taken = this.look();
    this.#by.clear();
    return taken;
  }

  #add(
    kind: Kind,
    ms: number,
    { again = false, reason }: { readonly again?: boolean; readonly reason?: string },
  ): void {
    const before = this.#by.get(kind) ?? NONE;
    const time = new Date().toISOString().slice(11, 23);
    const reasons = reason === undefined ? before.reasons : [...before.reasons, `${time} ${reason}`];
    this.#by.set(kind, {
      requests: before.requests + 1,
      failed: before.failed + (reason === undefined ? 0 : 1),
      again: before.again + (again ? 1 : 0),
      slowestMs: Math.max(before.slowestMs, Math.round(ms)),
      reasons: reasons.slice(0, REASONS_KEPT),
    });
  }
}

export const NONE: Figures = { requests: 0, failed: 0, again: 0, slowestMs: 0, reasons: [] };
