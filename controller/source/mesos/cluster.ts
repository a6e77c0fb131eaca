import type { App, AppKey } from '../../model/app.ts';
import type { About } from '../../model/delta.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Pace } from '../../pace.ts';
import type { AgentAddresses } from '../document/agents.ts';
import { snapshotOf } from '../feed.ts';
import { LastGood } from '../last-good.ts';
import { aboutOf } from './about.ts';
import { AgentTable } from './agent-table.ts';
import type { MesosEvent, TaskUpdate } from './events.ts';
import { mayServe, mergeKnown, mesosState, type TaskFacts, updated } from './facts.ts';
import { FrameworkTable } from './framework-table.ts';
import { Groups } from './groups.ts';
import { keyOf, taskIdIn, type Unreadable } from './read-task.ts';
import { givenUp, LATE_TASKS_MS, RecoveringAgents, unlisted } from './recovering-agents.ts';
import { SavedCluster } from './saved-cluster.ts';
import type { AgentList, MesosState } from './state.ts';
import { EndedTasks, type TaskEntry, TaskTable } from './task-table.ts';
import { type UnreadablePart, UnreadableTable } from './unreadable-table.ts';

/**
 * The state of a Mesos cluster: tasks joined with their agents and frameworks, which may arrive in any order. A task waits
 * until its framework is known; once joined, it keeps its agent and framework.
 */
export class Cluster {
  readonly #frameworks = new FrameworkTable();
  readonly #agents = new AgentTable();
  readonly #tasks = new TaskTable();
  /** Keys of tasks whose framework is not known yet. */
  readonly #unnamed = new Set<string>();
  readonly #unreadable = new UnreadableTable(
    { has: (key) => this.#tasks.get(key) !== undefined, unnamed: this.#unnamed },
    () => this.#changed(),
  );
  readonly #recovering = new RecoveringAgents();
  readonly #ended = new EndedTasks();
  readonly #groups: Groups;
  readonly #source: string;
  /** Everything that is not about a single app; null after a change. */
  #about: About | null = null;
  readonly #saved: SavedCluster;
  readonly #lastGood: LastGood;

  /** `source`: name of the source, for messages about its tasks. `lastGood`: for its first state, and the first `take`. */
  constructor(source = 'mesos', lastGood = new LastGood(source)) {
    this.#source = source;
    this.#saved = new SavedCluster(lastGood, this.#frameworks);
    this.#groups = new Groups(source, lastGood);
    this.#lastGood = lastGood;
  }

  /** Host names of all agents that matter. */
  get hosts(): ReadonlySet<string> {
    return new Set([...this.#agents.hosts, ...this.#tasks.hosts()]);
  }

  /** Host names of agents that were named since this was last called, known before or not. */
  takeNamedHosts(): ReadonlySet<string> {
    return this.#agents.takeNamedHosts();
  }

  /** Agents that have not come back to a new master. */
  get recovering(): Pick<RecoveringAgents, 'hosts' | 'until' | 'nextCheck'> {
    return this.#recovering;
  }

  /** Compares with a master's list of agents; returns whether it has given any up. */
  checkAgents(list: AgentList, now: number): boolean {
    const ids = this.#recovering.givenUp(list, now);
    for (const id of ids) this.apply({ type: 'agent-removed', id }, now);
    return ids.length > 0;
  }

  /**
   * Replaces everything by a complete state. Tasks that it lacks have ended; only those on an agent that has not come
   * back since a master failed over are kept for a while.
   *
   * Works in turns of a few milliseconds; until it resolves, the cluster is a mix of both states.
   */
  async replace(state: MesosState, now: number, pace: Pace): Promise<void> {
    const before = new Map(this.#tasks.all());
    await this.#saved.recall(state);
    this.#frameworks.add(state);
    this.#agents.add(state);
    this.#unreadable.clear();
    const present = new Set(state.rejected.keys());
    this.#recovering.replace(state.recovered, now);
    const put = (facts: TaskFacts) => {
      this.#put(this.#mergeKnown(facts));
      present.add(keyOf(facts));
    };
    for (const facts of state.tasks) {
      put(facts);
      await pace.restIfDue();
    }
    // A master keeps hundreds of these for long: those that ran when last seen are drained.
    for (const facts of state.unreachable) {
      const known = before.get(keyOf(facts))?.facts;
      if (known !== undefined && known.state !== 'gone') put(facts);
    }

    for (const each of state.rejected.values()) this.#refuse(each, each.part);
    for (const [key, entry] of before) {
      if (entry.facts.state === 'gone' || present.has(key)) continue;
      const kept = unlisted(entry, state, now);
      if (kept === null) this.#end(entry.facts);
      else this.#put(kept.facts, kept.keptUntil);
      await pace.restIfDue();
    }
    const needed = this.#tasks.references();
    this.#frameworks.prune(state, needed);
    this.#agents.prune(state, needed);
    this.#unreadable.leaveOutSaved((id) => this.#saved.isUnknown(id));
    this.#saved.forgetTasks();
  }

  apply(event: MesosEvent, now: number): void {
    switch (event.type) {
      case 'task-added':
        this.#unreadable.delete(keyOf(event.task));
        this.#put(this.#mergeKnown(event.task));
        return;
      case 'task-updated':
        this.#update(event);
        return;
      case 'unreadable':
        if (event.host !== undefined) this.#agents.addNameless(event.host);
        this.#refuse(event, event.part);
        return;
      case 'framework-known':
        this.#frameworkKnown(event.id, event.name);
        return;
      case 'framework-removed':
        // Its tasks end by updates of their own, and until then they have its name.
        return;
      case 'agent-added':
        this.#agents.set(event.agent);
        this.#changed();
        this.#recovering.cameBack(event.agent.id, now);
        for (const { facts } of this.#tasks.kept(event.agent.id)) this.#put(facts, now + LATE_TASKS_MS);
        this.#rejoin(this.#tasks.onAgent(event.agent.id));
        return;
      case 'agent-removed':
        this.#agents.delete(event.id);
        this.#changed();
        this.#recovering.cameBack(event.id, now);
        for (const { facts } of this.#tasks.kept(event.id)) {
          const kept = givenUp(facts, now);
          this.#put(kept.facts, kept.keptUntil);
        }
    }
  }

  /** Its tasks wait for its name. All tasks are searched only if the name has changed. */
  #frameworkKnown(id: string, name: string): void {
    const before = this.#frameworks.set(id, name);
    if (before === name) return;
    const keys = before === undefined ? this.#unnamed : this.#tasks.all().keys();
    this.#rejoin([...keys].filter((key) => this.#tasks.get(key)?.facts.frameworkId === id));
  }

  /** Forgets tasks that have been kept for long enough; returns whether there were any. */
  expire(now: number): boolean {
    const due = this.#tasks.due(now);
    for (const { facts } of due) this.#end(facts);
    this.#recovering.expire(now);
    return due.length > 0;
  }

  /** When the next kept task is to be forgotten; null when there is none. */
  nextExpiry(): number | null {
    return this.#tasks.nextExpiry();
  }

  /** Marks the apps on these hosts for a rebuild: their addresses changed. */
  moved(hosts: ReadonlySet<string>): void {
    if (hosts.size === 0) return;
    this.#changed();
    for (const [key, { agent }] of this.#tasks.all())
      if (agent !== null && hosts.has(agent.host)) this.#groups.touch(key);
  }

  /**
   * Adds to `changed` the apps that changed since the last call, in turns of a few milliseconds. Resolves with everything
   * that is not about a single app: the same object until it changes.
   */
  async take(changed: Map<AppKey, App | null>, resolved: AgentAddresses, pace: Pace): Promise<About> {
    const addresses = await this.#saved.withSaved(resolved, this.#tasks.all().values());
    await this.#groups.take(changed, addresses, pace);
    this.#lastGood.forget();
    this.#about ??= this.#aboutOf(addresses);
    return this.#about;
  }

  /** The complete state. Call it instead of `take`, not after it. */
  snapshot(addresses: AgentAddresses, pace: Pace): Promise<Snapshot> {
    return snapshotOf((changed) => this.take(changed, addresses, pace));
  }

  #aboutOf(addresses: AgentAddresses): About {
    const waiting = [...this.#unnamed].flatMap((key) => this.#tasks.get(key) ?? []);
    const [agents, unreadable] = [this.#agents, this.#unreadable];
    return aboutOf(this.#source, { agents, unreadable, waiting }, addresses);
  }

  /** Something that is not about a single app has changed. */
  #changed(): void {
    this.#about = null;
  }

  #mergeKnown(facts: TaskFacts): TaskFacts {
    const known = this.#tasks.living(keyOf(facts));
    return known === null ? this.#saved.complete(facts) : mergeKnown(known, facts);
  }

  #put(facts: TaskFacts, keptUntil: number | null = null): void {
    if (facts.state === 'gone') {
      this.#end(facts);
      return;
    }
    const key = keyOf(facts);
    const known = this.#tasks.get(key);
    const entry = { facts, agent: this.#agents.get(facts.agentId) ?? known?.agent ?? null, keptUntil };
    this.#tasks.set(key, entry);
    this.#unreadable.note(key, facts);
    this.#ended.delete(key);
    const framework = this.#frameworks.get(facts.frameworkId) ?? facts.saved?.framework;
    if (framework !== undefined) this.#groups.put(key, entry, framework);
    // A task stays in its app.
    if (this.#groups.has(key)) this.#named(key);
    else {
      this.#unnamed.add(key);
      this.#changed();
    }
  }

  /** Its framework is known. */
  #named(key: string): void {
    if (this.#unnamed.delete(key)) this.#changed();
  }

  /** The master lists it again, so it is no longer kept for a limited time. */
  #confirm(key: string): void {
    const entry = this.#tasks.get(key);
    if (entry !== undefined && entry.keptUntil !== null) this.#put(entry.facts);
  }

  #update({ key: given, state, status, problems = [] }: TaskUpdate): void {
    const key = this.#tasks.keyOf(given);
    const facts = this.#tasks.living(key);
    const ends = state !== null && mesosState(state) === 'gone';
    if (ends || !this.#unreadable.isTask(key)) this.#unreadable.delete(key);
    // An ended task comes back only by TASK_ADDED: an update after the end is a late one.
    if (facts !== null) this.#put(updated(facts, state, status, problems));
    const [problem] = ends ? [] : problems;
    if (problem !== undefined) this.#unreadable.add(key, 'update', { app: taskIdIn(key), ...problem });
  }

  /** Its state still counts; everything else stays as it was. */
  #refuse({ key: given, state, rejection }: Unreadable, part: UnreadablePart): void {
    const key = this.#tasks.keyOf(given);
    this.#confirm(key);
    const facts = this.#tasks.living(key) ?? this.#saved.find(key);
    if (facts !== null) this.#put(state === null ? facts : { ...facts, state });
    if (state === 'gone' && rejection.app !== '') this.#unreadable.delete(key);
    else this.#unreadable.add(key, part, rejection);
  }

  /** An unknown task that has ended is not remembered: after a failover agents report those too. */
  #end(facts: TaskFacts): void {
    const key = keyOf(facts);
    const framework = this.#frameworks.get(facts.frameworkId);
    const known = this.#tasks.get(key);
    this.#unreadable.note(key, null);
    if (known !== undefined && framework !== undefined && mayServe(facts)) {
      const entry: TaskEntry = { ...known, facts: { ...facts, state: 'gone' }, keptUntil: null };
      this.#tasks.set(key, entry);
      this.#groups.put(key, entry, framework);
      this.#named(key);
      const oldest = this.#ended.add(key);
      if (oldest !== null) this.#forget(oldest);
    } else this.#forget(key);
  }

  #forget(key: string): void {
    this.#tasks.delete(key);
    this.#unreadable.note(key, null);
    this.#named(key);
    this.#ended.delete(key);
    this.#groups.remove(key);
  }

  #rejoin(keys: Iterable<string>): void {
    for (const entry of [...keys].map((key) => this.#tasks.get(key)))
      if (entry !== undefined) this.#put(entry.facts, entry.keptUntil);
  }
}
