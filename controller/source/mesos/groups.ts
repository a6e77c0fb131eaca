import { type App, type AppKey, appKey, rowKey, type Task } from '../../model/app.ts';
import type { Pace } from '../../pace.ts';
import { tooManyBackends } from '../backend-bound.ts';
import type { AgentAddresses } from '../document/agents.ts';
import { withoutDefinition } from '../document/unread.ts';
import type { LastGood } from '../last-good.ts';
import { appFrom, appOfTask, type JoinedTask, taskFrom } from './apps.ts';
import type { AppIdentity } from './facts.ts';

interface Member extends JoinedTask {
  /** The task as it was built last, and from what. */
  made: (JoinedTask & { readonly task: Task; readonly address: string | null }) | null;
}

interface Group {
  readonly identity: AppIdentity;
  readonly framework: string;
  readonly members: Map<string, Member>;
  /** The app as it was made last. */
  app: App | null;
}

/** Groups joined tasks into apps, and rebuilds only the apps in which something changed. */
export class Groups {
  readonly #groups = new Map<AppKey, Group>();
  /** The app that each task belongs to. */
  readonly #appOf = new Map<string, AppKey>();
  readonly #affected = new Set<AppKey>();
  readonly #source: string;
  readonly #lastGood: LastGood;

  /** `source`: name of the source that the tasks are from. `lastGood`: for apps that are refused when they are first made. */
  constructor(source: string, lastGood: LastGood) {
    this.#source = source;
    this.#lastGood = lastGood;
  }

  /** Adds or updates a task; its framework may have another name now. */
  put(key: string, task: JoinedTask, framework: string): void {
    const identity = task.facts.saved?.app ?? appOfTask(task.facts);
    const app = appKey({ framework, id: identity.id });
    if (this.#appOf.get(key) !== app) this.remove(key);
    let group = this.#groups.get(app);
    if (group === undefined) {
      group = { identity, framework, members: new Map(), app: null };
      this.#groups.set(app, group);
    }
    group.members.set(key, { ...task, made: group.members.get(key)?.made ?? null });
    this.#appOf.set(key, app);
    this.#affected.add(app);
  }

  /** Does nothing for a task that is in no app. */
  remove(key: string): void {
    const app = this.#appOf.get(key);
    if (app === undefined) return;
    this.#appOf.delete(key);
    this.#groups.get(app)?.members.delete(key);
    this.#affected.add(app);
  }

  has(key: string): boolean {
    return this.#appOf.has(key);
  }

  /** Marks the app of this task for a rebuild: something around it changed. */
  touch(key: string): void {
    const app = this.#appOf.get(key);
    if (app !== undefined) this.#affected.add(app);
  }

  /** Adds the apps that changed to `changed`, in turns of a few milliseconds; null for an app without tasks. */
  async take(changed: Map<AppKey, App | null>, addresses: AgentAddresses, pace: Pace): Promise<void> {
    while (this.#affected.size > 0) {
      for (const key of [...this.#affected]) {
        this.#affected.delete(key);
        const group = this.#groups.get(key);
        if (group === undefined) continue;
        for (const member of group.members.values()) {
          make(member, addresses);
          await pace.restIfDue();
        }
        changed.set(key, await this.#make(key, group, addresses));
      }
    }
  }

  async #make(key: AppKey, group: Group, addresses: AgentAddresses): Promise<App | null> {
    if (group.members.size === 0) {
      this.#groups.delete(key);
      return null;
    }
    // Sorted by id, so that all hosts have the same order.
    const members = [...group.members].sort(([a], [b]) => (a < b ? -1 : 1));
    const made = members.map(([, member]) => ({ task: make(member, addresses), facts: member.facts }));
    const app = appFrom(group.identity, group.framework, this.#source, made);
    const refused = tooManyBackends(app);
    if (refused !== null)
      group.app = withoutDefinition(app, group.app ?? (await this.#savedApp(key)), refused);
    else group.app = app;
    return group.app;
  }

  async #savedApp(key: AppKey): Promise<App | undefined> {
    await this.#lastGood.load();
    // A relay saves its apps without recording that they were assembled from tasks.
    return this.#lastGood.find(rowKey(key, true)) ?? this.#lastGood.find(rowKey(key, false));
  }
}

function make(member: Member, addresses: AgentAddresses): Task {
  const { facts, agent, made } = member;
  const address = agent === null ? null : (addresses.get(agent.host) ?? null);
  if (made?.facts === facts && made.agent === agent && made.address === address) return made.task;
  const task = taskFrom(member, address);
  member.made = { facts, agent, address, task };
  return task;
}
