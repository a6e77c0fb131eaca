/** Everything around the loop, in memory, with a journal of what was done to it and in which order. */

import { parsePool } from '../../controller/desired/pool.ts';
import { Followers } from '../../controller/loop/followers.ts';
import type { PassRequest } from '../../controller/loop/pass.ts';
import { type ReconcilePorts, type ReconcileRules, Reconciler } from '../../controller/loop/reconciler.ts';
import type { Step, Table } from '../../controller/model/kernel.ts';
import type { NameMemory } from '../../controller/model/name-memory.ts';
import { serviceKey } from '../../controller/model/service.ts';
import type { Snapshot } from '../../controller/model/snapshot.ts';
import type { PassStatus } from '../../controller/pass-status.ts';
import { applySteps } from '../../controller/plan/after-steps.ts';
import { formatStep } from '../../controller/plan/ipvsadm.ts';
import type {
  Clock,
  IpvsTable,
  Ledger,
  LedgerEntry,
  Log,
  Reachability,
  ReachabilityReport,
  StateStore,
  StepFailure,
  StoredSnapshot,
} from '../../controller/ports.ts';
import type { TrafficDistribution } from '../../controller/settings/label-options.ts';
import { DEFAULT_PORT_OPTIONS } from '../../controller/settings/label-options.ts';
import { nothingRemembered } from './builders.ts';
import { afterSave } from './ledger-changes.ts';
import { list } from './telling.ts';

export class World {
  /** What the kernel has. */
  kernel: Table = new Map();
  ledgerEntries: ReadonlyMap<string, LedgerEntry> = new Map();
  memory: NameMemory = nothingRemembered;
  serial: number | null = null;
  readonly stored = new Map<string, StoredSnapshot>();
  /** Writes in their order: `kernel -A …`, `ledger 2`, `reach 1.2.3.4`, `memory`. */
  readonly journal: string[] = [];
  readonly logged: { readonly level: string; readonly message: string; readonly fields: unknown }[] = [];
  /** What the world's own clock says; it moves with every sleep. */
  now = 1_000_000;
  /** Steps for which this gives a message fail with it. */
  refuse: (step: Step) => string | null = () => null;
  /** Addresses of backends that the kernel takes for no destination. */
  refusedBackends: readonly string[] = [];
  /** Schedulers that the kernel lacks. */
  readonly lacking = new Set<string>();
  /** When set, reading the kernel fails. */
  unreadable: string | null = null;
  /** When set, the ledger cannot be written. */
  ledgerBroken: string | null = null;
  /** When set, the memory of names cannot be saved. */
  memoryBroken: string | null = null;
  reads = 0;
  /** Why an address is one that the controller depends on. */
  taken: (address: string) => string | null = () => null;
  /** A read in the background takes as long as this. */
  readingTakes: Promise<void> = Promise.resolve();
  /** A look at interface and routes takes as long as this. */
  lookingTakes: Promise<void> = Promise.resolve();
  /** How often interface and routes were looked at between passes. */
  repairs = 0;

  readonly clock: Clock;

  constructor(clock?: Clock) {
    this.clock = clock ?? {
      epoch: () => this.now,
      monotonic: () => this.now,
      sleep: async (ms) => {
        this.now += ms;
      },
    };
  }

  readonly table: IpvsTable = {
    observe: async (only) => {
      this.reads += 1;
      if (this.unreadable !== null) throw new Error(this.unreadable);
      if (only === undefined) return this.kernel;
      const keys = new Set([...only].map(serviceKey));
      return new Map([...this.kernel].filter(([key]) => keys.has(key)));
    },
    observeInBackground: async (keep) => {
      this.reads += 1;
      if (this.unreadable !== null) throw new Error(this.unreadable);
      const found = this.kernel;
      await this.readingTakes;
      return new Map(Array.from(found, ([key, service]) => [key, keep(service)]));
    },
    apply: async (steps) => {
      const failures: StepFailure[] = [];
      for (const step of steps) {
        const message = this.refuse(step);
        if (step.op === 'add-backend' && this.refusedBackends.includes(step.backend.address))
          failures.push({ step, error: new Error('EINVAL'), why: 'refused-backend' });
        else if (message !== null) failures.push({ step, error: new Error(message) });
        else if (step.op === 'add-service' && this.kernel.has(serviceKey(step.service)))
          failures.push({ step, error: new Error('EEXIST'), why: 'exists' });
        else if (lacks(this.lacking, step)) failures.push({ step, error: NO_SCHEDULER, why: 'no-scheduler' });
        else this.write(step);
      }
      return failures;
    },
    close: () => undefined,
  };

  readonly ledger: Ledger = {
    load: async () => ({ entries: this.ledgerEntries }),
    save: async (entries, changed) => {
      if (this.ledgerBroken !== null) throw new Error(this.ledgerBroken);
      this.ledgerEntries = afterSave(this.ledgerEntries, entries, changed);
      this.journal.push(`ledger ${[...entries.keys()].sort().join(' ')}`.trimEnd());
    },
  };

  reachable: ReachabilityReport = { changed: [], problems: [], advice: [] };
  readonly reachability: Reachability = {
    ensure: async (addresses) => {
      await this.lookingTakes;
      this.journal.push(`reach ${addresses.join(' ')}`.trimEnd());
      return this.reachable;
    },
    repair: async () => {
      await this.lookingTakes;
      this.repairs += 1;
      return [];
    },
    exists: async () => ['interface vip0'],
    remove: async () => ['interface vip0'],
    close: () => undefined,
  };

  readonly store: StateStore = {
    loadSource: async (source) => this.stored.get(source) ?? null,
    saveSource: async (source, _change, all) => {
      this.stored.set(source, { snapshot: all(), savedAt: this.clock.epoch() });
    },
    loadMemory: async () => this.memory,
    saveMemory: async (memory) => {
      if (this.memoryBroken !== null) throw new Error(this.memoryBroken);
      this.memory = memory;
      this.journal.push('memory');
    },
    loadSerial: async () => this.serial,
    saveSerial: async (serial) => {
      this.serial = serial;
    },
  };

  readonly log: Log = {
    debug: (message, fields) => this.logged.push({ level: 'debug', message, fields }),
    info: (message, fields) => this.logged.push({ level: 'info', message, fields }),
    warn: (message, fields) => this.logged.push({ level: 'warn', message, fields }),
    error: (message, fields) => this.logged.push({ level: 'error', message, fields }),
  };

  /** Writes as ipvsadm would, by whoever: not in the journal. */
  meddle(...steps: readonly Step[]): void {
    const kernel = new Map(this.kernel);
    applySteps(kernel, steps);
    this.kernel = kernel;
  }

  write(step: Step): void {
    this.journal.push(`kernel ${formatStep(step)}`);
    this.meddle(step);
  }

  ports(): ReconcilePorts {
    const { table, reachability, ledger, store, clock, log } = this;
    return { table, reachability, ledger, store, clock, log };
  }

  /** A controller that has just started in this world. */
  start(rules: StartRules = {}): Controller {
    return new Controller(this, rules);
  }

  /** `tcp/11.0.0.1:80` -> its backends with weights, as text. */
  backends(key: string): string[] {
    return [...(this.kernel.get(key)?.backends ?? [])]
      .map(([backend, { weight }]) => `${backend} w${weight}`)
      .sort();
  }

  /** What was done since this was last asked. */
  done(): string[] {
    return this.journal.splice(0);
  }
}

type StartRules = Partial<
  Pick<
    ReconcileRules,
    'adopt' | 'dryRun' | 'brake' | 'saved' | 'hostId' | 'ejections' | 'fullWeightAtOnce' | 'host'
  >
> & {
  readonly defaultScheduler?: string;
  readonly trafficDistribution?: TrafficDistribution;
};

function lacks(schedulers: ReadonlySet<string>, step: Step): boolean {
  return 'scheduler' in step.service && schedulers.has(step.service.scheduler);
}

const NO_SCHEDULER = new Error('kernel has no such scheduler (ENOENT)');

/** Makes passes on what a single source says. */
export class Controller {
  readonly reconciler: Reconciler;
  /** What other tables are kept by, which have the same VIPs. */
  readonly followers: Followers;

  constructor(
    world: World,
    {
      adopt = false,
      dryRun = false,
      brake = { share: 0.5, holdMs: 60_000 },
      defaultScheduler = DEFAULT_PORT_OPTIONS.scheduler,
      trafficDistribution = DEFAULT_PORT_OPTIONS.trafficDistribution,
      ...rules
    }: StartRules,
  ) {
    const translation = {
      zone: 'l4lb.thisdcos.directory',
      pools: { ipv4: parsePool('11.0.0.0/8'), ipv6: parsePool('fd01:c::/64') },
      realAddresses: (address: string) => world.taken(address),
      defaults: { ...DEFAULT_PORT_OPTIONS, scheduler: defaultScheduler, trafficDistribution },
    };
    const taken = (address: string) => world.taken(address);
    const inPool = (address: string) => address.startsWith('11.') || address.startsWith('fd01:c:');
    this.reconciler = new Reconciler(
      world.ports(),
      {
        translation,
        inPool,
        taken,
        adopt,
        brake,
        dryRun,
        ...rules,
      },
      () => 0,
    );
    const followerRules = { inPool, taken, adopt, brake, ...rules, resyncMs: 30_000 };
    this.followers = new Followers(followerRules, this.reconciler.inventory, () => 0);
  }

  /** A full pass: the kernel is read. */
  async resync(snapshot: Snapshot, complete = true): Promise<PassStatus> {
    return await this.#pass(snapshot, { full: true, complete, changesSince: [], gone: [] });
  }

  /** A pass after an event: what is known of the kernel is used. */
  async change(snapshot: Snapshot, ...gone: readonly string[]): Promise<PassStatus> {
    return await this.#pass(snapshot, {
      full: false,
      complete: true,
      changesSince: [],
      gone: gone.map((endpoint) => ({ endpoint, source: 'one' })),
    });
  }

  async #pass(snapshot: Snapshot, request: PassRequest): Promise<PassStatus> {
    list(this.reconciler.inventory, 'one', snapshot);
    const pass = await this.reconciler.pass(request);
    if (this.reconciler.desired !== null) this.followers.passed(request, pass, this.reconciler.desired);
    return pass;
  }

  nextDue(): number | null {
    return this.reconciler.table.nextDue();
  }
}
