import { BOUNDS } from '../input/bounds.ts';
import type { App, Port, Rejection, Task, TaskPort } from '../model/app.ts';
import type { Protocol } from '../model/endpoint.ts';
import { isVipLabel } from '../settings/label-keys.ts';

/** A port that a definition declares. Sources extend it with fields of their own. */
interface Declared {
  readonly port: Port;
}

/**
 * Limits the ports that the tasks of one app get during its conversion: a definition of a kilobyte with a thousand tasks can
 * mean millions of them. If there are too many, only ports with a VIP are kept, and none once those have too many backends;
 * the app is then refused with `tooManyBackends`.
 *
 * Ports without a VIP have no backends. They are kept if they are few, since they identify a task that still serves
 * connections after its VIP label was removed.
 */
export class PortBudget<DeclaredPort extends Declared> {
  readonly #addresses: number;
  readonly #kept = new Map<readonly DeclaredPort[], readonly DeclaredPort[]>();
  #backends = 0;

  /** `addresses`: total number of addresses of the app's tasks, at least one for each task. */
  constructor(addresses: number) {
    this.#addresses = addresses;
  }

  /** Returns the declared ports that the next task gets. */
  portsOf(declared: readonly DeclaredPort[]): readonly DeclaredPort[] {
    if (this.#backends > BOUNDS.backends) return [];
    let kept = this.#kept.get(declared);
    if (kept === undefined) {
      const isSmall = declared.length * this.#addresses <= BOUNDS.backends;
      kept = isSmall ? declared : declared.filter(({ port }) => vipsOf(port) > 0);
      this.#kept.set(declared, kept);
    }
    return kept;
  }

  /** Counts the ports of a converted task. */
  add(ports: readonly TaskPort[]): void {
    this.#backends += backendsAt(ports);
  }
}

/** Refuses an app whose VIPs have more backends than one app may have; null if they have not. */
export function tooManyBackends(app: Pick<App, 'id' | 'kind' | 'tasks'>): Rejection | null {
  let backends = 0;
  for (const { ports } of app.tasks) backends += backendsAt(ports);
  return backends > BOUNDS.backends ? refusal(app, mostVips(app.tasks), app.tasks.length) : null;
}

/** The declared ports of some tasks of an app, each of which has all of them. */
export interface Planned {
  readonly declared: readonly Declared[];
  readonly tasks: number;
}

/** The same, before the tasks are converted. */
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
    'until then its tasks keep their last known ports';
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

/** A port without endpoints counts too, since it takes as much memory as one with an endpoint. */
function backendsAt(ports: readonly TaskPort[]): number {
  return ports.reduce((sum, port) => sum + vipsOf(port) * Math.max(port.endpoints.length, 1), 0);
}

/** Number of VIPs that a port claims: one for each VIP label and protocol, and at least one for each label. */
function vipsOf({ labels, protocols }: Port): number {
  let found = 0;
  for (const key in labels) if (isVipLabel(key)) found += 1;
  if (found === 0) return 0;
  const known = PROTOCOLS.filter((each) => protocols.some((protocol) => protocol.toLowerCase() === each));
  return found * Math.max(known.length, 1);
}

const PROTOCOLS: readonly string[] = ['tcp', 'udp'] satisfies Protocol[];
