/** Knows the connections of backends, and since when those are not wanted any more that are there still. */

import type { AppSpec } from './cluster.ts';
import type { Printed } from './printed.ts';
import { drainMs, type Wanted } from './wanted.ts';

export class DrainWatch {
  /** By service and backend, as all that is kept here. */
  readonly #connections = new Map<string, number>();
  /** When it may be removed at the earliest although it has connections, in milliseconds. */
  readonly #deadlines = new Map<string, number>();

  connect(service: string, backend: string, connections: number): void {
    this.#connections.set(idOf(service, backend), connections);
  }

  /**
   * Notes which backends leave, after a pass that knew of it; and which have come back, where that pass came so far as
   * to note it itself (`settled`).
   */
  note(kernel: Printed, wanted: Wanted, apps: readonly AppSpec[], now: number, settled: boolean): void {
    for (const [key, { backends }] of kernel) {
      for (const endpoint of backends.keys()) {
        const id = idOf(key, endpoint);
        const drain = drainMs(apps, endpoint);
        const stays = wanted.services.get(key)?.backends.has(endpoint) === true;
        if (stays && settled) this.#deadlines.delete(id);
        // An app may ask for a shorter drain while one runs.
        else if (!stays && drain !== null)
          this.#deadlines.set(id, Math.min(this.#deadlines.get(id) ?? now + drain, now + drain));
      }
    }
  }

  /** Whether a backend that nobody wants may be there still: it has connections, and its task runs. */
  mayDrain(service: string, backend: string, apps: readonly AppSpec[]): boolean {
    return this.#isConnected(idOf(service, backend)) && drainMs(apps, backend) !== null;
  }

  #isConnected(id: string): boolean {
    return (this.#connections.get(id) ?? 0) > 0;
  }

  /** Why it was wrong to remove this backend now; null where it was right. */
  removedEarly(service: string, backend: string, apps: readonly AppSpec[], now: number): string | null {
    if (service.startsWith('udp') || !this.mayDrain(service, backend, apps)) return null;
    const id = idOf(service, backend);
    const fromNow = now + (drainMs(apps, backend) ?? 0);
    const noted = this.#deadlines.get(id) ?? fromNow;
    const early = Math.min(noted, fromNow) - now;
    if (early <= 0) return null;
    return `${backend} of ${service} is removed under ${this.#connections.get(id)} connections, ${early} ms early`;
  }

  /** What is gone from the kernel has lost its connections, and starts anew when it comes again. */
  forgetGone(kernel: Printed): void {
    for (const id of [...this.#connections.keys(), ...this.#deadlines.keys()]) {
      const [service = '', backend = ''] = id.split(' ');
      if (kernel.get(service)?.backends.has(backend) === true) continue;
      this.#connections.delete(id);
      this.#deadlines.delete(id);
    }
  }
}

function idOf(service: string, backend: string): string {
  return `${service} ${backend}`;
}
