/** The parts of `marathon-ipvs run` as wire.ts puts them together, for a kernel that the benchmark chooses. */
import { join } from 'node:path';
import type { IpvsClient } from 'ipvs-netlink-ts';
import { createKernelTable } from '../../controller/apply/kernel-table.ts';
import type { Config } from '../../controller/config/config.ts';
import { parsePool } from '../../controller/desired/pool.ts';
import { createLog } from '../../controller/log.ts';
import type { ReconcileRules } from '../../controller/loop/reconciler.ts';
import { createLedger } from '../../controller/state/ledger.ts';
import { createStateStore } from '../../controller/state/store.ts';
import { systemClock } from '../../controller/time.ts';

/** Without interface and routes. `reader` is for the whole table; `directory` for ledger and state. */
export function portsOf(client: IpvsClient, directory: string, reader: IpvsClient = client) {
  const clock = systemClock;
  const log = createLog('error');
  return {
    table: createKernelTable(client, reader),
    reachability: null,
    counters: null,
    reporters: [],
    ledger: createLedger(join(directory, 'ledger.json')),
    store: createStateStore(join(directory, 'state'), clock, log),
    clock,
    log,
  };
}

export function rulesOf(config: Config): ReconcileRules {
  const pools = { ipv4: parsePool('11.0.0.0/8'), ipv6: parsePool('fd01:c::/64') };
  return {
    translation: { zone: config.zone, pools },
    brake: { share: config.massRemovalPercent / 100, holdMs: config.massRemovalHoldSeconds * 1_000 },
    inPool: () => true,
    adopt: false,
    dryRun: false,
  };
}
