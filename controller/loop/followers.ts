import type { Inventory } from '../inventory/inventory.ts';
import type { Desired } from '../model/desired.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { PassStatus } from '../pass-status.ts';
import type { Holder } from './confirm.ts';
import { Follower, type FollowerRules } from './follower.ts';
import type { ManagedTablePorts } from './managed-table.ts';
import type { PassRequest } from './pass.ts';
import type { Planner } from './planner.ts';
import { SharedDesired } from './shared-desired.ts';
import { Turns } from './turns.ts';

/** The number of large passes at a time. */
const LARGE_AT_ONCE = 3;

/** All tables besides the host's that get the same VIPs. */
export class Followers {
  readonly #shared = new SharedDesired();
  readonly #followers = new Set<Follower>();
  readonly #turns = new Turns(LARGE_AT_ONCE);
  readonly #rules: FollowerRules;
  readonly #inventory: Inventory;
  readonly #random: () => number;

  constructor(rules: FollowerRules, inventory: Inventory, random: () => number = Math.random) {
    this.#rules = rules;
    this.#inventory = inventory;
    this.#random = random;
  }

  /** Adds a table. Call `run` of the returned follower, whose first pass is a full one. */
  add(ports: ManagedTablePorts): Follower {
    const follower = new Follower(
      ports,
      this.#rules,
      this.#shared,
      this.#inventory,
      this.#turns,
      this.#random,
    );
    this.#followers.add(follower);
    return follower;
  }

  delete(follower: Follower): void {
    this.#followers.delete(follower);
  }

  /** Takes a pass over the host's table. `desired`: what it worked on, without ejections. */
  passed(request: PassRequest, pass: PassStatus, desired: Desired): void {
    const touched = this.#shared.take(request, pass, desired);
    const { gone, changesSince } = request;
    const change = { touched, gone: [...gone], changesSince };
    for (const follower of this.#followers) follower.changed(change);
  }

  /** Requests a full pass over each table. */
  resync(): void {
    for (const follower of this.#followers) follower.resync();
  }

  /** The held removals of the host's table (`own`) and of all others, for confirmation. */
  holder(own: Planner): Holder<ReadonlySet<BackendKey>> {
    const planners = () => [own, ...[...this.#followers].map(({ planner }) => planner)];
    return {
      due: (now) => new Set(planners().flatMap((planner) => [...planner.due(now)])),
      confirm: (due, reread, now) => {
        const missing = planners().map((planner) => {
          const ofThis = planner.due(now).intersection(due);
          return ofThis.size === 0 ? 0 : planner.confirm(ofThis, reread, now);
        });
        return Math.max(...missing);
      },
    };
  }
}
