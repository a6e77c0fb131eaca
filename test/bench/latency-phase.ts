/**
 * The other processes of latency-bench: `kernel`, the witness alone; or `memory URL DIRECTORY`, a controller with an IPVS kernel in
 * its memory, which only its own process can witness.
 */
import { join } from 'node:path';
import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { createKernelTable } from '../../controller/apply/kernel-table.ts';
import { run } from '../../controller/command/run.ts';
import { resolveConfig } from '../../controller/config/config.ts';
import { createOccupants } from '../../controller/desired/occupants.ts';
import { parsePool } from '../../controller/desired/pool.ts';
import { createTranslator } from '../../controller/desired/translate.ts';
import { createLog } from '../../controller/log.ts';
import { systemClock } from '../../controller/loop/clock.ts';
import { Reconciler } from '../../controller/loop/reconcile.ts';
import { createDnsResolver } from '../../controller/source/dns-resolver.ts';
import { createMarathonSource } from '../../controller/source/marathon/source.ts';
import { createLedger } from '../../controller/state/ledger.ts';
import { createStateStore } from '../../controller/state/store.ts';
import { bearWitness } from './witness.ts';

const [mode, url = '', directory = ''] = process.argv.slice(2);
if (mode === 'kernel') bearWitness(await IpvsClient.open());
else {
  const kernel = new FakeKernel();
  bearWitness(await IpvsClient.open({ transport: kernel.transport() }));
  await control(await IpvsClient.open({ transport: kernel.transport() }));
}

/** The command `run` as wire.ts puts it together, apart from the kernel. */
async function control(client: IpvsClient): Promise<void> {
  const config = resolveConfig('run', [], { ...process.env, MARATHON_IPVS_SOURCE: `marathon=${url}` });
  const clock = systemClock;
  const log = createLog('error');
  const pools = { ipv4: parsePool('11.0.0.0/8'), ipv6: parsePool('fd01:c::/64') };
  const ports = {
    table: createKernelTable(client),
    reachability: null,
    counters: null,
    reporters: [],
    ledger: createLedger(join(directory, 'ledger.json')),
    store: createStateStore(join(directory, 'state'), clock, log),
    clock,
    log,
  };
  const reconciler = new Reconciler(ports, {
    translate: createTranslator({ zone: config.zone, pools }),
    occupants: createOccupants(),
    brake: { share: config.massRemovalPercent / 100, holdMs: config.massRemovalHoldSeconds * 1_000 },
    inPool: () => true,
    adopt: false,
    dryRun: false,
  });
  const resolver = createDnsResolver({ clock, log });
  const sources = [createMarathonSource({ where: url, resolver, log, clock })];
  const parts = { ...ports, sources, reconciler, dns: null, close: () => client.close() };
  const signals = { stop: new AbortController().signal, onResync: () => undefined };
  await run(config, parts, { output: 'text', colour: false }, () => undefined, signals);
}
