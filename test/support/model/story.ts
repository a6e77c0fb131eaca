/** Plays a story on a machine, lets it recover, and says what was not as it must be. */

import type { Change } from 'ipvs-netlink-ts';
import type { FakeVersion } from 'ipvs-netlink-ts/testing';
import { type AppSpec, appKey, SOURCES, type SourceName } from './cluster.ts';
import { describeEvent, type OwnService, type StoryEvent } from './events.ts';
import { endpoint, fakeStoryKernel, type StoryKernel } from './kernel.ts';
import { createLedgerInMemory } from './ledger.ts';
import { type LedgerMaker, Machine } from './machine.ts';
import { meddlingChanges, type Target } from './meddling.ts';
import { Process } from './process.ts';

export interface Story {
  readonly adopt: boolean;
  readonly events: readonly StoryEvent[];
}

/** Plays it in memory. Resolves with all that happened, line by line; rejects with it where a rule was broken. */
export async function playInMemory(story: Story, before?: FakeVersion): Promise<readonly string[]> {
  const kernel = await fakeStoryKernel(before);
  try {
    return await play(story, kernel, createLedgerInMemory());
  } finally {
    await kernel.close();
  }
}

/** As {@link playInMemory}, on a kernel and a ledger of the caller's, which are empty. */
export async function play(
  { adopt, events }: Story,
  kernel: StoryKernel,
  ledger: LedgerMaker,
): Promise<readonly string[]> {
  const machine = new Machine(kernel, ledger, adopt);
  const teller = new Teller(machine);
  await teller.meddle([{ op: 'add-service', service: BY_MARK }]);
  for (const event of events) {
    await teller.tell(event);
    teller.check();
  }
  await teller.recover();
  return machine.journal;
}

/** A service that is known by what a packet filter marked is never ours; its owner makes it at once after a reboot. */
const BY_MARK = { fwmark: 7, family: 'ipv4', scheduler: 'rr' } as const;
const KEY_BY_MARK = '-f 7';

/** A failed step is tried again after a minute at most (and a fifth for jitter), so long is a mass removal held, and a drain ends after five. */
const RECOVERY_SECONDS = [0, 5, 75, 75, 301, 75, 75, 0];

class Teller {
  readonly #machine: Machine;
  readonly #truth = new Map<string, AppSpec>();
  readonly #down = new Set<SourceName>();
  #lastChanged: AppSpec | null = null;
  #process: Process | null = null;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  async tell(event: StoryEvent): Promise<void> {
    const machine = this.#machine;
    machine.note(describeEvent(event));
    switch (event.what) {
      case 'deploy':
        this.#deploy(event.app);
        break;
      case 'tasks':
        this.#change(event.pick, ({ tasks: _, ...spec }) => ({ ...spec, tasks: event.tasks }));
        break;
      case 'unreachable':
        this.#change(event.pick, (spec) => ({
          ...spec,
          tasks: spec.tasks.map((task) => ({ ...task, state: 'unreachable' })),
        }));
        break;
      case 'relabel':
        this.#change(event.pick, ({ vips: [_, ...others], ...spec }) => ({
          ...spec,
          vips: [event.vip, ...others],
        }));
        break;
      case 'delete':
        this.#truth.delete(appKey(event));
        break;
      case 'pass':
        await this.#pass(event);
        break;
      case 'read beside':
        await this.#process?.refreshInBackground(event.mishap);
        if (this.#process?.alive === false) this.#end();
        break;
      case 'down':
        this.#down.add(event.source);
        break;
      case 'up':
        this.#down.delete(event.source);
        break;
      case 'silence':
        this.#end();
        await (await this.#running()).restore();
        await this.#pass({ what: 'pass', full: true, read: 'nothing', mishap: event.mishap });
        break;
      case 'stop':
        await this.#process?.saveSnapshots();
        this.#end();
        break;
      case 'kill':
        this.#end();
        break;
      case 'reboot':
        await this.#reboot();
        break;
      case 'wait':
        machine.now += event.seconds * 1_000;
        if (event.seconds >= 5) await this.#process?.saveSnapshots();
        break;
      case 'connect':
        this.#connect(event.pick, event.connections);
        break;
      case 'falls silent':
        this.#silence(event.pick, machine.watch.inRotation(), machine.now);
        break;
      case 'answers again':
        this.#silence(event.pick, [...(this.#process?.unanswering.since.keys() ?? [])], null);
        break;
      case 'meddle':
        await this.meddle(meddlingChanges(event.how, event.weight, this.#pick(event.pick)));
        break;
    }
  }

  /** Whatever it was that ended the controller: what it knew goes with it. */
  #end(): void {
    this.#process = null;
    this.#machine.watch.processEnds();
  }

  async meddle(changes: readonly Change[]): Promise<void> {
    const { kernel, watch } = this.#machine;
    await kernel.meddle(changes);
    watch.meddled(await kernel.print());
  }

  /** All faults are over and the sources are read: what must be true then, is. */
  async recover(): Promise<void> {
    const machine = this.#machine;
    machine.note('everything works again');
    this.#down.clear();
    this.#process?.unanswering.clear();
    for (const seconds of RECOVERY_SECONDS) {
      machine.now += seconds * 1_000;
      await this.#pass({ what: 'pass', full: true, read: 'whole', mishap: {} });
      this.check();
    }
    this.#finished();
    await this.#writesNothing('a pass that finds everything as desired');
    this.#end();
    await this.#writesNothing('a start that finds everything as desired');
  }

  check(): void {
    const { violations } = this.#machine.watch;
    if (violations.length === 0) return;
    throw new Error(`${violations.join('\n')}\n\n${this.#machine.journal.join('\n')}\n`);
  }

  async #pass({ full, read, mishap }: StoryEvent & { readonly what: 'pass' }): Promise<void> {
    const process = await this.#running();
    const lists = read === 'whole' || read === 'empty lists';
    for (const source of SOURCES.filter((each) => lists && !this.#down.has(each)))
      process.hear(source, read === 'whole' ? this.#appsOf(source) : [], true);
    const changed = this.#lastChanged;
    if (read === 'one app' && changed !== null && !this.#down.has(changed.source)) {
      const others = process.knows(changed.source).filter((spec) => appKey(spec) !== appKey(changed));
      process.hear(changed.source, [...others, changed], false);
    }
    if (this.#down.size === 0) process.confirmHeld(SOURCES.flatMap((source) => this.#appsOf(source)));
    const { watch } = this.#machine;
    const [before, unseen] = [watch.forwarding(), watch.meddledUnseen()];
    // A task that is told of, and asks for another VIP now, says so by name.
    const told = process.toldOf();
    const unnamed = !process.saidByName && !watch.inRotation().some((endpoint) => told.has(endpoint));
    const status = await process.pass(full, mishap);
    // What another program has put into rotation since the table was read is nothing that the controller could know.
    const lost = watch.hasRead ? before : before.filter((key) => !unseen.has(key));
    if (unnamed && !process.saidByName && lost.length >= 2 && watch.forwarding().length === 0)
      this.#machine.watch.violations.push(
        `all went at once, and no source said so by name: ${lost.join(' ')}`,
      );
    if (status === null) this.#machine.note('  nothing is known yet');
    if (!process.alive) this.#end();
  }

  /** One of these endpoints does not answer since then, or (null) does again, as far as a process looks. */
  #silence(pick: number, endpoints: readonly string[], since: number | null): void {
    const endpoint = endpoints[pick % endpoints.length];
    if (endpoint === undefined || this.#process === null) return;
    this.#machine.note(`  ${endpoint}`);
    this.#process.unanswering.set(endpoint, since);
  }

  #deploy(spec: AppSpec): void {
    this.#truth.set(appKey(spec), spec);
    this.#lastChanged = spec;
  }

  #change(pick: number, change: (spec: AppSpec) => AppSpec): void {
    const all = [...this.#truth.values()];
    const spec = all[pick % all.length];
    if (spec === undefined) return;
    this.#machine.note(`  ${appKey(spec)}`);
    this.#deploy(change(spec));
  }

  async #running(): Promise<Process> {
    this.#process ??= await Process.start(this.#machine);
    return this.#process;
  }

  #appsOf(source: SourceName): readonly AppSpec[] {
    return [...this.#truth.values()].filter((spec) => spec.source === source);
  }

  async #reboot(): Promise<void> {
    const { kernel, watch } = this.#machine;
    this.#end();
    const keys = [...watch.kernel.keys()].filter((key) => key !== KEY_BY_MARK);
    await kernel.meddle(keys.map((key) => ({ op: 'remove-service', service: idOf(key) })));
    watch.rebooted(await kernel.print());
    await this.#machine.ledger.empty();
  }

  #connect(pick: number, connections: number): void {
    const { watch, kernel } = this.#machine;
    const ours = [...watch.kernel].filter(([key]) => watch.ours.has(key) && key.startsWith('tcp'));
    const all = ours.flatMap(([key, { backends }]) => [...backends.keys()].map((at) => [key, at] as const));
    const [key, at] = all[pick % all.length] ?? [];
    if (key === undefined || at === undefined) return;
    if (!kernel.connect(key, at, connections)) return;
    watch.drains.connect(key, at, connections);
    this.#machine.note(`  ${connections} at ${at} of ${key}`);
  }

  #pick(pick: number): Target | null {
    const all = [...this.#machine.watch.kernel].filter(([key]) => key !== KEY_BY_MARK);
    const [key, service] = all[pick % all.length] ?? [];
    if (key === undefined || service === undefined) return null;
    this.#machine.note(`  ${key}`);
    const [at] = service.backends.keys();
    return { service: idOf(key), backend: at === undefined ? null : endpoint(at) };
  }

  #finished(): void {
    const apps = SOURCES.flatMap((source) => this.#appsOf(source));
    this.#machine.finished(apps);
    this.check();
  }

  async #writesNothing(what: string): Promise<void> {
    const { journal, watch } = this.#machine;
    const [lines, before] = [journal.length, watch.kernel];
    await this.#pass({ what: 'pass', full: true, read: 'whole', mishap: {} });
    const written = journal.slice(lines).filter((line) => /^ {2}(kernel|ledger|memory)/.test(line));
    if (written.length > 0 || watch.kernel !== before)
      watch.violations.push(`${what} writes: ${written.join('; ')}`);
    this.check();
  }
}

function idOf(key: string): OwnService {
  const [protocol = '', where = ''] = key.split('/');
  return { protocol: protocol as OwnService['protocol'], ...endpoint(where) };
}
