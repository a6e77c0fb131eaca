import { canonicalText } from '../address.ts';
import type { App, AppKey, Task } from '../model/app.ts';
import { KeyIndex } from './key-index.ts';

/** Index of agents and containers by address. */
export class AddressIndex {
  readonly #apps: ReadonlyMap<AppKey, App>;
  /** Number of apps with tasks on the agent at each address. */
  readonly #agents = new Map<string, number>();
  readonly #containers = new KeyIndex();
  /** Agents that sources list, with or without tasks. */
  #listed: ReadonlySet<string> = new Set();

  /** `apps`: the indexed apps. An app must have been added to it, or removed from it, before `replace` is called. */
  constructor(apps: ReadonlyMap<AppKey, App>) {
    this.#apps = apps;
  }

  /** Updates the index after an app was added, changed or removed. */
  replace(key: AppKey, before: App | undefined, now: App | undefined): void {
    const [had, has] = [agentsOf(before), agentsOf(now)];
    for (const address of had) if (!has.has(address)) this.#count(address, -1);
    for (const address of has) if (!had.has(address)) this.#count(address, 1);
    this.#containers.replace(key, containersOf(before), containersOf(now));
  }

  /** Replaces the agents that sources list. */
  list(agents: Iterable<string>): void {
    this.#listed = new Set(agents);
  }

  /** The owner of an address, as text: `an agent`, `task db.1, which runs in a container`; null when no source reports one. */
  ownerOf(address: string): string | null {
    if (this.#listed.has(address) || this.#agents.has(address)) return 'an agent';
    const task = this.#firstTaskAt(address);
    return task === null ? null : `task ${task}, which runs in a container`;
  }

  /** Whether the address may be that of a task's endpoint. */
  hasTask(address: string): boolean {
    return this.#agents.has(address) || this.#containers.has(address);
  }

  #count(address: string, by: 1 | -1): void {
    const count = (this.#agents.get(address) ?? 0) + by;
    if (count === 0) this.#agents.delete(address);
    else this.#agents.set(address, count);
  }

  /** The same task whatever was read first; null when there is none. */
  #firstTaskAt(address: string): string | null {
    let first: string | null = null;
    for (const key of this.#containers.find(address)) {
      for (const task of this.#apps.get(key)?.tasks ?? []) {
        const found = new Set<string>();
        addContainer(task, found);
        if (found.has(address) && (first === null || task.id < first)) first = task.id;
      }
    }
    return first;
  }
}

/** The agents of all tasks, running or not, with or without VIPs. */
function agentsOf(app: App | undefined): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { agent, ports } of app?.tasks ?? []) {
    if (agent !== undefined) found.add(canonicalText(agent.address));
    for (const { backendAddress, endpoints } of ports)
      if (backendAddress === 'agent') for (const { address } of endpoints) found.add(canonicalText(address));
  }
  return found;
}

function containersOf(app: App | undefined): ReadonlySet<string> {
  const found = new Set<string>();
  for (const task of app?.tasks ?? []) addContainer(task, found);
  return found;
}

/** The addresses of containers that have not ended. */
function addContainer({ state, addresses = [], ports }: Task, found: Set<string>): void {
  if (state === 'gone') return;
  for (const address of addresses) found.add(canonicalText(address));
  for (const { backendAddress, endpoints, local = [] } of ports) {
    if (backendAddress === 'container')
      for (const { address } of endpoints) found.add(canonicalText(address));
    for (const { address } of local) found.add(canonicalText(address));
  }
}
