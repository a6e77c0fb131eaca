import type { App } from '../../model.ts';
import type { AgentAddresses } from '../document/agents.ts';
import { same } from '../document/same.ts';
import type { Pace } from '../pace.ts';
import { appOfTask } from './app-id.ts';
import { appFrom, type JoinedTask } from './apps.ts';

interface Group extends Pick<Parameters<typeof appFrom>[0], 'identity' | 'framework'> {
  readonly members: Map<string, JoinedTask>;
  app: App | null;
}

/** Puts joined tasks together to apps, and makes anew only those apps in which something changed. */
export class Groups {
  readonly #groups = new Map<string, Group>();
  /** The app that each task counts to. */
  readonly #appOf = new Map<string, string>();
  readonly #dirty = new Set<string>();
  #order: readonly string[] | null = null;

  /** Adds a task, or takes what is known of it now; it may have become another framework's by name. */
  put(key: string, task: JoinedTask, framework: string): void {
    const identity = appOfTask(task.facts);
    const app = `${framework} ${identity.id}`;
    if (this.#appOf.get(key) !== app) this.remove(key);
    let group = this.#groups.get(app);
    if (group === undefined) {
      group = { identity, framework, members: new Map(), app: null };
      this.#groups.set(app, group);
      this.#order = null;
    }
    group.members.set(key, task);
    this.#appOf.set(key, app);
    this.#dirty.add(app);
  }

  /** A task that is in no app is no error. */
  remove(key: string): void {
    const app = this.#appOf.get(key);
    if (app === undefined) return;
    this.#appOf.delete(key);
    this.#groups.get(app)?.members.delete(key);
    this.#dirty.add(app);
  }

  has(key: string): boolean {
    return this.#appOf.has(key);
  }

  /** The app of this task is to be made anew: something around it changed. */
  touch(key: string): void {
    const app = this.#appOf.get(key);
    if (app !== undefined) this.#dirty.add(app);
  }

  /** All apps, by framework and id, in turns of a few milliseconds; those that did not change are the same objects. */
  async apps(addresses: AgentAddresses, pace: Pace): Promise<readonly App[]> {
    while (this.#dirty.size > 0) {
      for (const key of [...this.#dirty]) {
        this.#dirty.delete(key);
        this.#make(key, addresses);
        if (pace.isDue()) await pace.rest();
      }
    }
    this.#order ??= [...this.#groups.keys()].sort();
    return this.#order.flatMap((key) => this.#groups.get(key)?.app ?? []);
  }

  #make(key: string, addresses: AgentAddresses): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    if (group.members.size === 0) {
      this.#groups.delete(key);
      this.#order = null;
      return;
    }
    // By id, so that all hosts have them in one order.
    const members = [...group.members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, task]) => task);
    const app = appFrom(group, members, addresses, group.app);
    if (group.app === null || !same(group.app, app)) group.app = app;
  }
}
