/** A host: kernel, disk, sources and clock, and the controller's real loop on it, which may die and start again. */

import type { Change } from 'ipvs-netlink-ts';
import { parsePool } from '../../controller/desired/pool.ts';
import type { TranslationRules } from '../../controller/desired/translation-rules.ts';
import { Reconciler } from '../../controller/loop/reconciler.ts';
import { run, type WakeReason } from '../../controller/loop/run.ts';
import type { Step, Table } from '../../controller/model/kernel.ts';
import type { ServiceKey } from '../../controller/model/service.ts';
import type { Log, Reachability } from '../../controller/ports.ts';
import { withLoadTimeout } from '../../controller/state/load-timeout.ts';
import { savedIn } from '../../controller/state/store.ts';
import { Latch } from '../../controller/time.ts';
import { FakeClock, settled } from '../support/fake-clock.ts';
import { SILENT_OBSERVER } from '../support/silent-observer.ts';
import { Unanswering } from '../support/unanswering.ts';
import { type AppSpec, HOST_ADDRESS, HOST_ZONE, SOURCES, type SourceName, snapshotOf } from './cluster.ts';
import { Disk } from './disk.ts';
import type { HostKernel } from './kernel.ts';
import { type Crash, Life, WriteCounter } from './life.ts';
import { Random } from './random.ts';
import { ScriptedSource } from './source.ts';
import { differences, rebuild } from './wanted.ts';

const POOLS = { ipv4: parsePool('11.0.0.0/29'), ipv6: null };
const BRAKE = { share: 0.5, holdMs: 60_000 };
const OPTIONS = { resyncMs: 60_000, settleMs: 100, restoreAfterMs: 5_000, dryRun: false };

const nothing = (): undefined => undefined;
const SILENT: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const REACHABLE: Reachability = {
  ensure: async () => ({ changed: [], problems: [], advice: [] }),
  repair: async () => [],
  exists: async () => [],
  remove: async () => [],
  close: nothing,
};

export class Host {
  readonly clock = new FakeClock();
  readonly disk = new Disk();
  readonly kernel: HostKernel;
  readonly apps = new Map<string, AppSpec>();
  /** Ids of apps of which no source can read anything. */
  readonly unreadable = new Set<string>();
  readonly addresses = new Set<string>();
  readonly zones = new Map<string, string>();
  /** Services that another program made, as text: none of them may be touched. */
  readonly foreign = new Map<ServiceKey, string>();
  readonly violations: string[] = [];
  readonly writes: WriteCounter;
  readonly sources = new Map<SourceName, ScriptedSource>();
  readonly #random: Random;
  #life: Life | null = null;
  #unanswering = new Unanswering();

  constructor(kernel: HostKernel, seed: number, crash: Crash | null) {
    this.kernel = kernel;
    this.writes = new WriteCounter(crash);
    this.#random = new Random(seed);
    for (const name of SOURCES)
      this.sources.set(
        name,
        new ScriptedSource(
          name,
          this.clock,
          () => snapshotOf(name, this.apps.values(), this.zones),
          this.unreadable,
        ),
      );
  }

  get #rules() {
    return {
      zone: 'l4lb.thisdcos.directory',
      pools: POOLS,
      realAddresses: (address: string) => (this.addresses.has(address) ? 'an address of this host' : null),
    } satisfies TranslationRules;
  }

  get alive(): boolean {
    return this.#life?.dead === false;
  }

  async start(): Promise<void> {
    const life = new Life(this.writes);
    this.#life = life;
    const table = await this.kernel.open(life, (before, steps) => this.#wrote(before, steps));
    const { clock, disk } = this;
    const ports = {
      table,
      reachability: REACHABLE,
      ledger: disk.ledger(life),
      store: withLoadTimeout(
        disk.store(life, () => clock.epoch()),
        clock,
        SILENT,
      ),
      clock,
      log: SILENT,
    };
    for (const source of this.sources.values()) source.saved = savedIn(ports.store);
    const wake = new Latch<WakeReason>();
    // Nothing of it is kept over a restart.
    this.#unanswering = new Unanswering(() => wake.set('ejections'));
    const rules = {
      translation: this.#rules,
      ejections: this.#unanswering,
      host: { given: { zone: HOST_ZONE }, addresses: () => HOST_ADDRESSES },
      inPool: (address: string) => address.startsWith('11.'),
      adopt: false,
      brake: BRAKE,
      taken: this.#rules.realAddresses,
      dryRun: false,
    };
    const reconciler = new Reconciler(ports, rules, () => this.#random.next());
    const sources = [...this.sources.values()];
    const running = run(
      { ...ports, sources, observer: SILENT_OBSERVER },
      reconciler,
      OPTIONS,
      wake,
      life.stopped.signal,
    );
    running.catch((error: unknown) => this.violations.push(`the loop ended: ${String(error)}`));
    await settled();
  }

  /** The controller ends: by itself, with what it still saves, or at once. */
  async end(how: 'kill' | 'stop'): Promise<void> {
    if (how === 'kill') this.#life?.end();
    this.#life?.stopped.abort();
    await settled();
    this.#life?.end();
  }

  /** Another program's edit of what the kernel has. */
  async edit(changes: readonly Change[]): Promise<void> {
    await this.kernel.edit(changes);
    await this.#lookAtForeign();
  }

  /** What is at an endpoint does not answer this host, or answers again. */
  answers(endpoint: string, answers: boolean): void {
    this.#unanswering.set(endpoint, answers ? null : this.clock.monotonic());
  }

  async addForeign(address: string): Promise<void> {
    const service = { protocol: 'tcp', address, port: 80 } as const;
    const key = `tcp/${address}:80`;
    const before = await this.kernel.read();
    if (before.has(key) || this.disk.ledgerKeys().includes(key)) return;
    await this.kernel.edit([
      { op: 'add-service', service: { ...service, scheduler: 'rr' } },
      {
        op: 'add-destination',
        service,
        destination: { address: '172.16.9.9', port: 80, weight: 3, forwardingMethod: 'masquerade' },
      },
    ]);
    await this.#lookAtForeign(key);
  }

  /** Another program's own changes of its services are how they are to stay. */
  async #lookAtForeign(added?: ServiceKey): Promise<void> {
    const table = await this.kernel.read();
    for (const key of added === undefined ? [...this.foreign.keys()] : [added]) {
      const service = table.get(key);
      if (service === undefined) this.foreign.delete(key);
      else this.foreign.set(key, textOf(table, key));
    }
  }

  /** What must hold after every write. */
  async #wrote(before: Table, steps: readonly Step[]): Promise<void> {
    const table = await this.kernel.read();
    const ledger = new Set(this.disk.ledgerKeys());
    for (const [key, text] of this.foreign)
      if (textOf(table, key) !== text) this.violations.push(`${key} is another program's and was changed`);
    for (const key of table.keys())
      if (!before.has(key) && !ledger.has(key))
        this.violations.push(`${key} was made and is not in the ledger (${steps.length} steps)`);
  }

  /**
   * The property that everything is held to: once sources and kernel stop changing, the kernel becomes as desired and
   * stays so. Foreign services are as their owner left them, and the ledger names exactly what is ours.
   */
  async check(): Promise<void> {
    const snapshots = SOURCES.map((name) => snapshotOf(name, this.apps.values(), this.zones));
    const memory = this.disk.memory();
    const { wanted, names } = rebuild(snapshots, memory, this.#rules, this.#unanswering.since);
    const table = await this.kernel.read();
    const foreign = new Set(this.foreign.keys());
    this.violations.push(...differences(wanted, table, foreign));
    const ours = [...table.keys()].filter((key) => !foreign.has(key)).sort();
    this.#same('the ledger', this.disk.ledgerKeys().slice().sort(), ours);
    this.#same('the names that have an address', [...this.disk.memory().addresses.keys()].sort(), names);
    for (const [key, text] of this.foreign) this.#same(key, textOf(table, key), text);
  }

  #same(what: string, is: unknown, should: unknown): void {
    const [have, want] = [JSON.stringify(is), JSON.stringify(should)];
    if (have !== want) this.violations.push(`${what}: ${have}, should be ${want}`);
  }
}

const HOST_ADDRESSES: ReadonlySet<string> = new Set([HOST_ADDRESS]);

function textOf(table: Table, key: ServiceKey): string {
  const service = table.get(key);
  if (service === undefined) return 'absent';
  const backends = [...service.backends.values()].map(
    ({ activeConnections: _, inactiveConnections: __, ...settings }) => settings,
  );
  return JSON.stringify({ ...service, backends });
}
