import type { App, Health, Task } from '../../model/app.ts';
import type { Clock } from '../../ports.ts';

/**
 * Keeps the last known health of a task for a limited time after its results vanish. After a change of leader,
 * Marathon's own checks start again without results (marathon #3419), and the whole cluster would seem to have no
 * healthy task.
 */
export class KeptHealth {
  readonly #lostAt = new Map<string, number>();
  readonly #keepMs: number;
  readonly #clock: Clock;

  constructor(keepMs: number, clock: Clock) {
    this.#keepMs = keepMs;
    this.#clock = clock;
  }

  /**
   * Returns `next` with kept health results. `until`: when the first of them expires and the app must be read again;
   * null when none is kept.
   */
  apply(previous: App | undefined, next: App): { readonly app: App; readonly until: number | null } {
    if (previous === undefined || !next.tasks.some(({ health }) => health === 'unknown'))
      return { app: next, until: null };
    const before = new Map(previous.tasks.map((task) => [task.id, task.health]));
    let until: number | null = null;
    const tasks = next.tasks.map((task) => {
      const kept = this.#kept(task, before.get(task.id));
      if (kept === null) return task;
      until = Math.min(until ?? kept.until, kept.until);
      return { ...task, health: kept.health };
    });
    return until === null ? { app: next, until } : { app: { ...next, tasks }, until };
  }

  /** Forgets tasks that have not been seen for long. */
  prune(): void {
    for (const [id, lostAt] of this.#lostAt)
      if (this.#clock.monotonic() - lostAt > 10 * this.#keepMs) this.#lostAt.delete(id);
  }

  #kept(task: Task, before: Health | undefined): { health: Health; until: number } | null {
    if (task.health !== 'unknown' || (before !== 'healthy' && before !== 'unhealthy')) {
      this.#lostAt.delete(task.id);
      return null;
    }
    const now = this.#clock.monotonic();
    const until = (this.#lostAt.get(task.id) ?? now) + this.#keepMs;
    if (now >= until) {
      this.#lostAt.delete(task.id);
      return null;
    }
    this.#lostAt.set(task.id, until - this.#keepMs);
    return { health: before, until };
  }
}
