/** A controller that is written to and shows its page: in the lab the program on the real kernel, else in this process. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { createKernelCounters } from '../../controller/apply/kernel-counters.ts';
import { createKernelTable } from '../../controller/apply/kernel-table.ts';
import { run } from '../../controller/cli/commands/run.ts';
import { resolveConfig } from '../../controller/config/config.ts';
import type { Environment } from '../../controller/config/option-text.ts';
import { parsePool } from '../../controller/desired/pool.ts';
import { Reconciler } from '../../controller/loop/reconciler.ts';
import type { Log } from '../../controller/ports.ts';
import { createDnsResolver } from '../../controller/source/dns-resolver.ts';
import { createMarathonClient } from '../../controller/source/marathon/client.ts';
import { createMarathonSource } from '../../controller/source/marathon/source.ts';
import { createMarathonWriter } from '../../controller/source/marathon/writer.ts';
import { createLedger } from '../../controller/state/ledger.ts';
import { createStateStore } from '../../controller/state/store.ts';
import { painter } from '../../controller/text/table.ts';
import { systemClock } from '../../controller/time.ts';
import { IN_LAB, TestHost } from '../support/host.ts';

export const TOKEN = 'a-token-of-some-length';

export interface PageHost {
  readonly url: string;
  close(): Promise<void>;
}

export interface HostOptions {
  readonly dryRun?: boolean;
  /** Of the environment, beside what every host has. */
  readonly environment?: Environment;
}

export async function openHost(marathon: string, options: HostOptions = {}): Promise<PageHost> {
  return IN_LAB ? await realHost(marathon) : await memoryHost(marathon, options);
}

async function realHost(marathon: string): Promise<PageHost> {
  const host = await TestHost.open();
  const tokenFile = host.path('token');
  await writeFile(tokenFile, `${TOKEN}\n`);
  const writing = ['--allow-writes', '--write-token-file', tokenFile];
  const source = ['--source', `marathon=${marathon}`, '--dns-listen', 'off'];
  const controller = await host.start(...source, ...writing);
  await controller.ready();
  return {
    url: 'http://127.0.0.1:61421',
    close: async () => {
      await controller.end();
      await host.close();
    },
  };
}

/** As wire.ts puts it together, with a kernel in memory. */
async function memoryHost(
  marathon: string,
  { dryRun = false, environment = {} }: HostOptions,
): Promise<PageHost> {
  const directory = await mkdtemp(join(tmpdir(), 'marathon-ipvs-page-'));
  const tokenFile = join(directory, 'token');
  await writeFile(tokenFile, TOKEN);
  const stop = new AbortController();
  const serving = Promise.withResolvers<string>();
  const nothing = () => undefined;
  const log: Log = {
    debug: nothing,
    info: (message, fields) => message === 'serving' && serving.resolve(String(fields?.['url'])),
    warn: nothing,
    error: nothing,
  };
  const config = resolveConfig('run', [], {
    MARATHON_IPVS_SOURCE: `marathon=${marathon}`,
    MARATHON_IPVS_LISTEN: '127.0.0.1:0',
    MARATHON_IPVS_ALLOW_WRITES: 'true',
    MARATHON_IPVS_WRITE_TOKEN_FILE: tokenFile,
    MARATHON_IPVS_DRY_RUN: String(dryRun),
    ...environment,
  });
  const parts = await memoryParts(marathon, directory, dryRun, log);
  const running = run(config, parts, { output: 'text', paint: painter(false) }, nothing, {
    stop: stop.signal,
    onResync: nothing,
  });
  return {
    url: await serving.promise,
    close: async () => {
      stop.abort();
      await running;
      parts.close();
      await rm(directory, { recursive: true });
    },
  };
}

async function memoryParts(marathon: string, directory: string, dryRun: boolean, log: Log) {
  const clock = systemClock;
  const kernel = new FakeKernel();
  const client = await IpvsClient.open({ transport: kernel.transport() });
  const pools = { ipv4: parsePool('11.0.0.0/8'), ipv6: parsePool('fd01:c::/64') };
  const ports = {
    table: createKernelTable(client),
    reachability: null,
    reporters: [],
    counters: createKernelCounters(await IpvsClient.open({ transport: kernel.transport() })),
    ledger: createLedger(join(directory, 'ledger.json')),
    store: createStateStore(join(directory, 'state'), clock, log),
    clock,
    log,
  };
  const reconciler = new Reconciler(ports, {
    translation: { zone: 'l4lb.thisdcos.directory', pools },
    brake: null,
    inPool: () => true,
    adopt: false,
    dryRun,
  });
  const resolver = createDnsResolver({ clock, log });
  const sources = [createMarathonSource({ where: marathon, resolver, log, clock })];
  const writer = createMarathonWriter(createMarathonClient({ where: marathon, clock }));
  const writing = { writer, log };
  const close = () => {
    client.close();
    ports.counters.close();
  };
  const absent = { readTables: null, watch: null, namespaces: null, dns: null };
  return { ...ports, ...absent, sources, reconciler, writing, close };
}
