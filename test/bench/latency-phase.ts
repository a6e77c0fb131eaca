/**
 * The other processes of latency-bench: `kernel`, the witness; `peer URL`, what the controller is compared with; or
 * `memory URL DIRECTORY`, a controller with an IPVS kernel in its memory, which only its own process can witness.
 */

import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { run } from '../../controller/cli/commands/run.ts';
import { resolveConfig } from '../../controller/config/config.ts';
import { createLog } from '../../controller/log.ts';
import { Reconciler } from '../../controller/loop/reconciler.ts';
import type { Log } from '../../controller/ports.ts';
import { createDnsResolver } from '../../controller/source/dns-resolver.ts';
import { createMarathonSource } from '../../controller/source/marathon/source.ts';
import { painter } from '../../controller/text/table.ts';
import { followBarely } from './latency-peer.ts';
import { portsOf, rulesOf } from './parts.ts';
import type { Serving } from './running-controller.ts';
import { bearWitness } from './witness.ts';

const [mode, url = '', directory = ''] = process.argv.slice(2);
if (mode === 'kernel') bearWitness(await IpvsClient.open(), 10);
else if (mode === 'peer') {
  process.on('disconnect', () => process.exit());
  await followBarely(await IpvsClient.open(), url);
  process.send?.('ready');
} else {
  const kernel = new FakeKernel();
  bearWitness(await IpvsClient.open({ transport: kernel.transport() }), 2);
  const open = () => IpvsClient.open({ transport: kernel.transport() });
  await control(await open(), await open());
}

async function control(client: IpvsClient, reader: IpvsClient): Promise<void> {
  // The kernel chooses the port, so that several can run on one host.
  const environment = { MARATHON_IPVS_SOURCE: `marathon=${url}`, MARATHON_IPVS_LISTEN: '127.0.0.1:0' };
  const config = resolveConfig('run', [], { ...process.env, ...environment });
  const ports = { ...portsOf(client, directory, reader), log: tellingParent(createLog('error')) };
  const reconciler = new Reconciler(ports, rulesOf(config));
  const { clock, log } = ports;
  const resolver = createDnsResolver({ clock, log });
  const sources = [createMarathonSource({ where: url, resolver, log, clock })];
  const absent = { readTables: null, watch: null, namespaces: null, writing: null, dns: null };
  const parts = { ...ports, ...absent, sources, reconciler, close: () => client.close() };
  const signals = { stop: new AbortController().signal, onResync: () => undefined };
  await run(config, parts, { output: 'text', paint: painter(false) }, () => undefined, signals);
}

/** Tells the parent where the API is served. */
function tellingParent(log: Log): Log {
  const info: Log['info'] = (message, fields) => {
    if (message === 'serving') process.send?.({ url: String(fields?.['url']) } satisfies Serving);
  };
  return { ...log, info };
}
