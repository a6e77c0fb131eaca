import { canonicalAddress } from '../address.ts';
import type { App, Snapshot, Task } from '../model.ts';
import { differenceOf } from './grouping.ts';

/** Whose address it is, `an agent`, `task db.1, which runs in a container`; null: nobody's that a source tells of. */
export type OwnerOf = (address: string) => string | null;

/**
 * Makes the function that finds agents and containers by their addresses; it reads anew only the apps that changed since
 * its last call. What it returns is to be asked before the next call.
 */
export function createHosts(): (snapshot: Pick<Snapshot, 'apps' | 'agents'>) => OwnerOf {
  const agents = new AppIndex();
  const containers = new AppIndex();
  let last: readonly App[] = [];

  return ({ apps, agents: listed = [] }) => {
    const { gone, come } = differenceOf(last, apps);
    last = apps;
    for (const app of gone) {
      agents.remove(app, agentsOf(app));
      containers.remove(app, containersOf(app));
    }
    for (const app of come) {
      agents.add(app, agentsOf(app));
      containers.add(app, containersOf(app));
    }
    let known: ReadonlySet<string> | undefined;
    return (address) => {
      known ??= new Set(listed);
      if (known.has(address) || agents.find(address).length > 0) return 'an agent';
      const task = firstTaskAt(address, containers.find(address));
      return task === null ? null : `task ${task}, which runs in a container`;
    };
  };
}

/** Apps by address. Most addresses belong to one app: only others cost a list. */
class AppIndex {
  readonly #apps = new Map<string, App | readonly App[]>();

  find(address: string): readonly App[] {
    const found = this.#apps.get(address);
    if (found === undefined) return NONE;
    return 'id' in found ? [found] : found;
  }

  add(app: App, addresses: Iterable<string>): void {
    for (const address of addresses) {
      const others = this.find(address);
      this.#apps.set(address, others.length === 0 ? app : [...others, app]);
    }
  }

  remove(app: App, addresses: Iterable<string>): void {
    for (const address of addresses) {
      const left = this.find(address).filter((other) => other !== app);
      const [only] = left;
      if (only === undefined) this.#apps.delete(address);
      else this.#apps.set(address, left.length === 1 ? only : left);
    }
  }
}

const NONE: readonly App[] = [];

/** Of all tasks, whether they run or not, and of ports without VIP too: an agent is an agent. */
function agentsOf({ tasks }: App): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { agent, ports } of tasks) {
    if (agent !== undefined) found.add(canonical(agent.address));
    for (const { backendAddress, endpoints } of ports)
      if (backendAddress === 'agent') for (const { address } of endpoints) found.add(canonical(address));
  }
  return found;
}

function containersOf({ tasks }: App): ReadonlySet<string> {
  const found = new Set<string>();
  for (const task of tasks) addContainer(task, found);
  return found;
}

/** A container that has ended has no address any more. */
function addContainer({ state, addresses = [], ports }: Task, found: Set<string>): void {
  if (state === 'gone') return;
  for (const address of addresses) found.add(canonical(address));
  for (const { backendAddress, endpoints, local = [] } of ports) {
    if (backendAddress === 'container') for (const { address } of endpoints) found.add(canonical(address));
    for (const { address } of local) found.add(canonical(address));
  }
}

/** The same one whatever was read first; null where none is there. */
function firstTaskAt(address: string, apps: readonly App[]): string | null {
  let first: string | null = null;
  for (const { tasks } of apps) {
    for (const task of tasks) {
      const found = new Set<string>();
      addContainer(task, found);
      if (found.has(address) && (first === null || task.id < first)) first = task.id;
    }
  }
  return first;
}

function canonical(address: string): string {
  return canonicalAddress(address) ?? address;
}
