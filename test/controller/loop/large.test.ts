import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { resolveConfig } from '../../../controller/config/config.ts';
import { Reconciler } from '../../../controller/loop/reconciler.ts';
import { createMetrics } from '../../../controller/metrics/metrics.ts';
import { createStatusBoard } from '../../../controller/status/board.ts';
import { portsOf, rulesOf } from '../../bench/parts.ts';
import { StallWatch } from '../../bench/stalls.ts';
import { snapshot, web } from '../../support/builders.ts';
import { list } from '../../support/telling.ts';

// How long the parts are is for the benchmark (100 ms at most): here it would depend on what else the machine does.
test('the first pass over 1,000 VIPs with 10 backends each comes in parts, of which none is more than a third of the whole', async () => {
  const apps = Array.from({ length: 1_000 }, (_, app) => {
    const endpoints = Array.from(
      { length: 10 },
      (_, task) => `10.${app >> 8}.${app & 255}.${task + 1}:31000`,
    );
    return web(`/app-${app}`, { VIP_0: `/app-${app}:80` }, ...endpoints);
  });
  const directory = mkdtempSync(join(tmpdir(), 'large-pass-'));
  const client = await IpvsClient.open({ transport: new FakeKernel().transport() });
  try {
    const config = resolveConfig('run', [], { MARATHON_IPVS_SOURCE: 'file=.' });
    const ports = portsOf(client, directory);
    const reconciler = new Reconciler(ports, rulesOf(config));
    const observed = { sources: ['file=.'], dryRun: false, clock: ports.clock };
    const board = createStatusBoard(observed);
    const metrics = createMetrics(observed, { board });

    const watch = new StallWatch();
    const before = process.threadCpuUsage();
    list(reconciler.inventory, 'file=.', snapshot(...apps));
    const pass = await reconciler.pass({ full: true, complete: true, changesSince: [], gone: [] });
    await board.prepare(pass);
    for (const observer of [board, metrics]) observer.passed(pass);
    const { user, system } = process.threadCpuUsage(before);
    // Processor time of this thread, so that what else the machine does does not count.
    const longest = Math.max(...watch.stop().map(({ cpu }) => cpu));

    expect(pass).toMatchObject({ error: null, failures: [], plan: { summary: { add: 1_000 } } });
    expect(board.current().vips.size).toBe(1_000);
    expect(longest).toBeLessThan((user + system) / 1_000 / 3);
  } finally {
    client.close();
    rmSync(directory, { recursive: true });
  }
});
