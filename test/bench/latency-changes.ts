/** What happens to the apps of latency-bench, and how long each change takes to the kernel. */

import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';
import { marathonApp } from './apps.ts';
import type { Seen, Watch } from './witness.ts';

const VIPS = 1_000;
const INSTANCES = 5;
const AGENTS = 50;
const CHANGES_PER_SECOND = 20;
/** How many apps change in turn. */
const GROUP = 100;
/** How long the last changes may take before they count as lost. */
const LOST_MS = 30_000;

/** What happens to an app, how many of its instances are in rotation then, and the event that tells of it. */
interface Change {
  readonly event: string;
  readonly inRotation: number;
  make(marathon: TestMarathon, app: string, task: string): Promise<unknown> | undefined;
}

const CHANGES: readonly Change[] = [
  {
    event: 'instance_health_changed_event',
    inRotation: INSTANCES + 1,
    make: (marathon, id) => marathon.updateApp(id, { instances: INSTANCES + 1 }),
  },
  {
    event: 'instance_health_changed_event',
    inRotation: INSTANCES,
    make: (marathon, _, task) => void marathon.setHealth(task, false),
  },
  {
    event: 'instance_health_changed_event',
    inRotation: INSTANCES + 1,
    make: (marathon, _, task) => void marathon.setHealth(task, true),
  },
  {
    event: 'status_update_event',
    inRotation: INSTANCES,
    make: (marathon, id) => marathon.updateApp(id, { instances: INSTANCES }),
  },
];

/** The address of the VIP of an app, by its number. */
export type AddressOf = (index: number) => string;

/** A Marathon with 1,000 apps of 5 instances to which something happens 20 times a second. */
export class ChangingApps {
  readonly marathon: TestMarathon;
  /** App -> its first task. */
  readonly #tasks = new Map<string, string>();
  #made = 0;

  private constructor(marathon: TestMarathon) {
    this.marathon = marathon;
  }

  static async deploy(): Promise<ChangingApps> {
    const marathon = await startMarathon({
      processes: false,
      agents: Array.from({ length: AGENTS }, (_, index) => ({
        hostname: `10.0.${index >> 8}.${index & 255}`,
      })),
    });
    const apps = new ChangingApps(marathon);
    for (let index = 0; index < VIPS; index += 1) {
      const { id, cmd, portDefinitions, healthChecks } = marathonApp(index, 0, AGENTS);
      const ports = portDefinitions.map((port) => ({ ...port, port: 0 }));
      await marathon.addApp({ id, cmd, instances: INSTANCES, portDefinitions: ports, healthChecks });
    }
    for (const { id, appId } of marathon.tasks()) {
      if (!apps.#tasks.has(String(appId))) apps.#tasks.set(String(appId), String(id));
    }
    return apps;
  }

  /**
   * Makes changes for so many seconds; resolves with the milliseconds that the witness counts for each. `addressOf`
   * gives the VIP of an app, by its number.
   */
  async change(seconds: number, addressOf: AddressOf, witness: ChildProcess): Promise<readonly number[]> {
    const count = seconds * CHANGES_PER_SECOND;
    const first = this.#made;
    this.#made += count;
    const seen = new Map<number, number>();
    const listen = ({ id, at }: Seen) => seen.set(id, at);
    witness.on('message', listen);
    const told = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        await sleep((index * 1_000) / CHANGES_PER_SECOND);
        return await this.#changeOne(first + index, addressOf, witness);
      }),
    );
    for (let waited = 0; seen.size < count && waited < LOST_MS; waited += 100) await sleep(100);
    witness.off('message', listen);
    if (seen.size < count)
      throw new Error(`${count - seen.size} of ${count} changes never reached the kernel`);
    return told.map((at, index) => (seen.get(first + index) ?? Number.NaN) - at);
  }

  /** Makes a change, which the witness watches; resolves with the moment at which Marathon told of it. */
  async #changeOne(id: number, addressOf: AddressOf, witness: ChildProcess): Promise<number> {
    // The apps of a group in turn, then again with the next change: so an app has seconds between two of them.
    const round = Math.floor(id / GROUP);
    const index = (Math.floor(round / CHANGES.length) * GROUP + (id % GROUP)) % VIPS;
    const change = CHANGES[round % CHANGES.length];
    if (change === undefined) throw new Error(`no change ${round}`);
    const { id: app } = marathonApp(index, 0, AGENTS);
    const { event, inRotation } = change;
    const watched: Watch = { id, address: addressOf(index), port: 80, inRotation };
    witness.send(watched);
    const before = this.marathon.events.length;
    await change.make(this.marathon, app, this.#tasks.get(app) ?? '');
    const told = this.marathon.events
      .slice(before)
      .find(({ eventType, appId, runSpecId }) => eventType === event && (appId ?? runSpecId) === app);
    if (told === undefined) throw new Error(`Marathon sent no ${event} for ${app}`);
    return Date.parse(told.timestamp);
  }
}
