import { BOUNDS } from '../bounds.ts';
import type { App, Port, Protocol, Rejection, Task, TaskPort } from '../model.ts';
import { isVipLabel } from '../settings/label-keys.ts';

/** A port that a definition declares, with whatever a source knows of it besides. */
interface Declared {
  readonly port: Port;
}

/**
 * The ports that the tasks of one app get while it is converted. A definition of a kilobyte on a thousand tasks can mean
 * millions of them, so of too many only those with a VIP are kept, and none once these have too many backends: the app is
 * then refused with `tooManyBackends`.
 *
 * Ports without a VIP are not needed for backends. They are kept where they are few, since a task that serves under
 * connections after its VIP label was removed is found by them.
 */
export class PortBudget<One extends Declared> {
  readonly #places: number;
  readonly #kept = new Map<readonly One[], readonly One[]>();
  #backends = 0;

  /** `places`: how many tasks the app has, those with several addresses once for each. */
  constructor(places: number) {
    this.#places = places;
  }

  /** Those of the declared ports that the next task gets. */
  portsOf(declared: readonly One[]): readonly One[] {
    if (this.#backends > BOUNDS.backends) return [];
    let kept = this.#kept.get(declared);
    if (kept === undefined) {
      const isSmall = declared.length * this.#places <= BOUNDS.backends;
      kept = isSmall ? declared : declared.filter(({ port }) => vipsOf(port) > 0);
      this.#kept.set(declared, kept);
    }
    return kept;
  }

  /** Counts what a task got. */
  add(ports: readonly TaskPort[]): void {
    this.#backends += backendsAt(ports);
  }
}

/** The reason to refuse an app whose VIPs have more backends than one app may have; null for any other. */
export function tooManyBackends(app: Pick<App, 'id' | 'kind' | 'tasks'>): Rejection | null {
  let backends = 0;
  for (const { ports } of app.tasks) backends += backendsAt(ports);
  return backends > BOUNDS.backends ? refusal(app, mostVips(app.tasks), app.tasks.length) : null;
}

/** Ports that each of `tasks` tasks of an app has. */
export interface Planned {
  readonly declared: readonly Declared[];
  readonly tasks: number;
}

/** The same before the tasks are made. */
export function wouldHaveTooMany(
  app: Pick<App, 'id' | 'kind'>,
  planned: Iterable<Planned>,
): Rejection | null {
  let [backends, vips, tasks] = [0, 0, 0];
  for (const each of planned) {
    const own = each.declared.reduce((sum, { port }) => sum + vipsOf(port), 0);
    backends += own * each.tasks;
    vips = Math.max(vips, own);
    tasks += each.tasks;
  }
  return backends > BOUNDS.backends ? refusal(app, vips, tasks) : null;
}

function refusal({ id, kind }: Pick<App, 'id' | 'kind'>, vips: number, tasks: number): Rejection {
  const reason =
    `expected at most ${BOUNDS.backends} backends in one ${kind}: declare fewer VIPs, or split it; ` +
    'until then its tasks serve what they last served';
  return { app: id, at: '', value: `${vips} VIPs on ${tasks} tasks`, reason };
}

function mostVips(tasks: readonly Task[]): number {
  return tasks.reduce(
    (most, { ports }) =>
      Math.max(
        most,
        ports.reduce((sum, port) => sum + vipsOf(port), 0),
      ),
    0,
  );
}

/** A port that is not placed counts too: it takes the memory of one that is. */
function backendsAt(ports: readonly TaskPort[]): number {
  return ports.reduce((sum, port) => sum + vipsOf(port) * Math.max(port.endpoints.length, 1), 0);
}

/** The VIPs that a port asks for: one for each label and protocol, at least one where it has a label. */
function vipsOf({ labels, protocols }: Port): number {
  let found = 0;
  for (const key in labels) if (isVipLabel(key)) found += 1;
  if (found === 0) return 0;
  const both = PROTOCOLS.filter((each) => protocols.some((protocol) => protocol.toLowerCase() === each));
  return found * Math.max(both.length, 1);
}

const PROTOCOLS: readonly string[] = ['tcp', 'udp'] satisfies Protocol[];
