/** A host in a story: what outlives the controller's process. */

import type { NameMemory } from '../../../controller/model/name-memory.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import type { Ledger } from '../../../controller/ports.ts';
import { nothingRemembered } from '../builders.ts';
import type { AppSpec } from './cluster.ts';
import type { StoryKernel, Trouble } from './kernel.ts';
import { wantedOf } from './wanted.ts';
import { Watch } from './watch.ts';

/** What goes wrong in one pass. */
export interface Mishap {
  /** The process dies before this write, whatever it is to: memory, ledger, kernel, routes, names. */
  readonly dieAt?: number;
  /** The kernel refuses this write. */
  readonly refuseAt?: number;
  readonly trouble?: Trouble;
  readonly ledgerFull?: boolean;
  readonly routesFail?: boolean;
}

/** Where the ledger is kept; the process looks at every save. */
export interface LedgerMaker {
  open(): Ledger;
  /** As a reboot does. */
  empty(): Promise<void>;
}

export class Machine {
  readonly watch: Watch;
  /** All that happened, one line each. */
  readonly journal: string[] = [];
  now = 1_000_000_000;
  memory: NameMemory = nothingRemembered;
  readonly snapshots = new Map<string, { snapshot: Snapshot; savedAt: number; apps: readonly AppSpec[] }>();
  /** Last valid texts of labels, as the stories' own model recalls them. */
  recalled: ReadonlyMap<string, string> = new Map();
  readonly kernel: StoryKernel;
  readonly ledger: LedgerMaker;
  readonly adopt: boolean;

  constructor(kernel: StoryKernel, ledger: LedgerMaker, adopt: boolean) {
    this.kernel = kernel;
    this.ledger = ledger;
    this.adopt = adopt;
    this.watch = new Watch(adopt);
  }

  note(line: string): void {
    this.journal.push(line);
  }

  /** The kernel and everything about it is as these apps want it, all backends answering. */
  finished(apps: readonly AppSpec[]): void {
    const wanted = wantedOf(apps, { addresses: this.memory.addresses, labels: this.recalled });
    this.watch.finished({ complete: true, apps, named: new Set(), now: this.now, wanted: () => wanted });
    const remembered = [...this.memory.addresses.keys()].sort().join(' ');
    const declared = [...wanted.names].sort().join(' ');
    if (remembered !== declared)
      this.watch.violations.push(`remembered are the names ${remembered}, declared ${declared}`);
  }
}
