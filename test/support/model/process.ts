/** A controller's process in a story: the reconciler, and the words of the sources as `run` keeps them. */

import { parsePool } from '../../../controller/desired/pool.ts';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import { Reconciler } from '../../../controller/loop/reconciler.ts';
import { saveChanged } from '../../../controller/loop/save.ts';
import { Sources } from '../../../controller/loop/sources.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import type { AppSource, Clock, IpvsTable, Log, StateStore } from '../../../controller/ports.ts';
import { SILENT_OBSERVER } from '../silent-observer.ts';
import { Telling } from '../telling.ts';
import { Unanswering } from '../unanswering.ts';
import {
  type AppSpec,
  inPools,
  POOLS,
  placesOf,
  SOURCES,
  type SourceName,
  type TaskSpec,
  toSnapshot,
} from './cluster.ts';
import type { Machine, Mishap } from './machine.ts';
import { Perils } from './perils.ts';
import {
  ledgerPort,
  namesPort,
  reachabilityPort,
  type Surroundings,
  storePort,
  tablePort,
} from './process-ports.ts';
import { type Wanted, wantedOf } from './wanted.ts';
import type { PassContext } from './watch.ts';

const nothing = (): undefined => undefined;
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const BRAKE = { share: 0.5, holdMs: 60_000 };

/** Everything that it knows is lost when it ends. */
export class Process {
  readonly #machine: Machine;
  readonly #perils: Perils;
  readonly #sources: Sources;
  /** What the sources said, in the words of the story. */
  readonly #heard = new Map<SourceName, { readonly apps: readonly AppSpec[]; readonly fromDisk: boolean }>();
  readonly #tellings = new Map<SourceName, Telling>();
  readonly #clock: Clock;
  readonly #store: StateStore;
  readonly #reconciler: Reconciler;
  readonly unanswering = new Unanswering();
  readonly #named = new Set<string>();
  /** Whether a source may have told of the end, or the failing, of a task or an app by name, or was asked again. */
  saidByName = false;
  #context: PassContext | null = null;
  #remembers = true;

  static async start(machine: Machine): Promise<Process> {
    const perils = new Perils();
    const table = await machine.kernel.open({
      admit: () => perils.admit(),
      wrote: (printed) => machine.watch.wrote(printed),
      trouble: () => perils.mishap.trouble ?? 'none',
      calm: () => Object.keys(perils.mishap).length === 0,
    });
    machine.note('  a controller starts');
    machine.watch.processStarts();
    return new Process(machine, perils, table);
  }

  private constructor(machine: Machine, perils: Perils, table: IpvsTable) {
    this.#machine = machine;
    this.#perils = perils;
    this.#clock = {
      epoch: () => machine.now,
      monotonic: () => machine.now,
      sleep: async () => undefined,
    };
    const surroundings: Surroundings = {
      machine,
      perils,
      context: () => this.#context,
      knows: (source) => this.knows(source),
      remembers: (whether) => {
        this.#remembers = whether;
      },
    };
    this.#store = storePort(surroundings);
    const ports = {
      table: tablePort(table, surroundings),
      reachability: reachabilityPort(surroundings),
      names: namesPort(surroundings),
      ledger: ledgerPort(surroundings),
      store: this.#store,
      clock: this.#clock,
      log: SILENT,
    };
    const pools = { ipv4: parsePool(POOLS.ipv4), ipv6: parsePool(POOLS.ipv6) };
    const { adopt } = machine;
    const rules = {
      translation: { zone: 'l4lb.thisdcos.directory', pools },
      ejections: this.unanswering,
      inPool: inPools,
      adopt,
      brake: BRAKE,
      dryRun: false,
    };
    this.#reconciler = new Reconciler(ports, rules, () => 0);
    this.#sources = new Sources(SOURCES.map(sourceNamed), SILENT_OBSERVER, this.#reconciler.inventory);
  }

  get alive(): boolean {
    return this.#perils.alive;
  }

  /** A source was read: as a whole, or as far as one event told. */
  hear(source: SourceName, apps: readonly AppSpec[], complete: boolean): void {
    this.saidByName ||= !complete || apps.some(({ tasks }) => tasks.some(saysByName));
    const telling = this.#tellings.get(source) ?? new Telling();
    this.#tellings.set(source, telling);
    const delta = telling.delta(toSnapshot(apps), complete, this.#machine.now);
    if (delta !== null) this.#sources.read(source, delta);
    // A part says too little before the whole has been heard once.
    if (complete || this.#heard.get(source)?.fromDisk === false)
      this.#heard.set(source, { apps, fromDisk: false });
  }

  /** What it was told last of this source. */
  knows(source: SourceName): readonly AppSpec[] {
    return this.#heard.get(source)?.apps ?? [];
  }

  /** Where the tasks are that it was told of, with a known health. */
  toldOf(): ReadonlySet<string> {
    const apps = SOURCES.flatMap((source) => this.knows(source));
    return new Set(
      apps.flatMap((spec) =>
        spec.tasks.filter(({ health }) => health !== 'unknown').flatMap(({ place }) => placesOf(spec, place)),
      ),
    );
  }

  /** The sources stay silent for so long that it turns to its own disk. */
  async restore(): Promise<void> {
    if (this.#sources.known) return;
    await this.#sources.restore(this.#store);
    for (const source of SOURCES) {
      const stored = this.#machine.snapshots.get(source);
      if (stored === undefined || this.#heard.has(source)) continue;
      this.#heard.set(source, { apps: stored.apps, fromDisk: true });
      // What was announced before the restart is announced.
      this.saidByName ||= stored.apps.some(({ tasks }) => tasks.some(saysByName));
    }
  }

  /** As every few seconds, and at the end. */
  async saveSnapshots(): Promise<void> {
    await saveChanged({ store: this.#store, log: SILENT }, this.#sources);
  }

  /** null when there is nothing to work on yet. The process may be dead afterwards. */
  async pass(full: boolean, mishap: Mishap): Promise<PassStatus | null> {
    if (!this.#sources.known) return null;
    const { complete } = this.#sources;
    const gone = this.#sources.takeEnded().endpoints;
    for (const { endpoint } of gone) this.#named.add(endpoint);
    const context = this.#contextOf(complete);
    this.#context = context;
    this.#remembers = true;
    this.#perils.begin(mishap);
    this.#machine.watch.passBegins(context);
    const status = await this.#reconciler.pass({
      full,
      complete,
      changesSince: [],
      gone,
    });
    this.#end(context, status);
    return status;
  }

  /** The next full pass works on what is read now. */
  async refreshInBackground(mishap: Mishap): Promise<void> {
    if (!this.#reconciler.table.view.isKnown) return;
    this.#perils.begin(mishap);
    await this.#reconciler.table.refreshInBackground();
  }

  /** After a mass removal was held for long enough, the sources are asked once more, as `run` does beside its passes. */
  confirmHeld(apps: readonly AppSpec[]): void {
    const { planner } = this.#reconciler.table;
    const due = planner.due(this.#machine.now);
    if (due.size === 0) return;
    this.saidByName = true;
    const missing = planner.confirm(due, Inventory.of([toSnapshot(apps)]), this.#machine.now);
    this.#machine.note(`  asked again: ${missing} of ${due.size} held backends are missing`);
  }

  #contextOf(complete: boolean): PassContext {
    const machine = this.#machine;
    const apps = SOURCES.flatMap((source) => this.knows(source));
    let wanted: Wanted | undefined;
    return {
      complete,
      apps,
      named: this.#named,
      now: machine.now,
      wanted: () => {
        const recalled = { addresses: machine.memory.addresses, labels: machine.recalled };
        wanted ??= wantedOf(apps, recalled, this.unanswering.since);
        return wanted;
      },
    };
  }

  #end(context: PassContext, { error, failures, waiting, plan, held, advice }: PassStatus): void {
    const machine = this.#machine;
    this.#context = null;
    if (this.#remembers) machine.recalled = recall(context, machine.recalled);
    if (!context.complete) machine.note('  on the word of our own disk');
    for (const { key } of plan.conflicts) machine.note(`  conflict: ${key}`);
    for (const { key, adopted, backends } of plan.services) {
      if (adopted) machine.note(`  adopted: ${key}`);
      for (const { reason, address } of backends)
        if (/^(draining|ejected|slow start)/.test(reason))
          machine.note(`  ${address} of ${key} is ${reason}`);
    }
    if (held !== null) machine.note(`  held: ${[...held.services].join(' ')}`);
    for (const { step, message } of failures) machine.note(`  failed: ${step}: ${message}`);
    if (!this.alive) machine.note(`  dies before write ${this.#perils.writes}`);
    else if (error !== null) machine.note(`  pass fails: ${error}`);
    // A ledger that could not be written is told as advice: it is brought up to date later.
    const steps = failures.length + waiting + advice.length > 0 ? 'steps failed' : 'clean';
    machine.watch.passEnds(error === null && this.alive ? steps : 'cut short', held?.services);
  }
}

function saysByName({ state, health }: TaskSpec): boolean {
  return state !== 'running' || health === 'unhealthy';
}

/** What the labels were when they were last valid, after a pass that got so far. */
function recall(
  { complete, wanted }: PassContext,
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const { valid, labels } = wanted();
  // From our own disk we learn nothing newer than what we recall.
  if (!complete) return new Map([...valid, ...before]);
  const kept = [...before].filter(([key]) => labels.has(key));
  return new Map([...kept, ...valid]);
}

function sourceNamed(name: SourceName): AppSource {
  return { name, follow: () => Promise.resolve(), read: () => Promise.reject(new Error('not asked for')) };
}
