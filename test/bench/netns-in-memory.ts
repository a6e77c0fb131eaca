/**
 * A controller that keeps VIPs in so many network namespaces, each a helper process with an IPVS kernel in its memory
 * (netns-phase.ts): what a change costs outside the lab, where system calls take as long as they do.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IpvsClient } from 'ipvs-netlink-ts';
import { FakeKernel } from 'ipvs-netlink-ts/testing';
import { resolveConfig } from '../../controller/config/config.ts';
import { appSchema } from '../../controller/input/marathon-json.ts';
import { Followers } from '../../controller/loop/followers.ts';
import { Reconciler } from '../../controller/loop/reconciler.ts';
import { Turns } from '../../controller/loop/turns.ts';
import type { App } from '../../controller/model/app.ts';
import { MAX_STARTS, NamespaceKeeper } from '../../controller/netns/keeper.ts';
import { RemoteNamespace } from '../../controller/netns/remote.ts';
import { convertApp } from '../../controller/source/document/apps.ts';
import { createLedger } from '../../controller/state/ledger.ts';
import { marathonApp } from './apps.ts';
import { cpuOf, type Measured } from './netns-measured.ts';
import { portsOf, rulesOf } from './parts.ts';

const PHASE = join(import.meta.dirname, 'netns-phase.ts');
const NODE = [process.execPath, '--conditions=ipvs-source', '--disable-warning=ExperimentalWarning'];
const INSTANCES = 3;
const AGENTS = 50;
const PAUSE_MS = 500;

/** Brings the VIPs into all of them, then makes so many changes, one after the other; the first ones do not count. */
export async function measureInMemory(
  count: number,
  vips: number,
  warmUp: number,
  changes: number,
): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'netns-bench-'));
  const client = await IpvsClient.open({ transport: new FakeKernel().transport() });
  const ports = portsOf(client, directory);
  const rules = rulesOf(resolveConfig('run', [], { MARATHON_IPVS_SOURCE: 'file=.' }));
  const reconciler = new Reconciler(ports, rules);
  const followers = new Followers({ ...rules, resyncMs: 30_000 }, reconciler.inventory);
  const stop = new AbortController();
  const made = new Countdown();
  const starts = new Turns(MAX_STARTS);
  const keepers = Array.from({ length: count }, (_, index) => {
    const namespace = { id: `bench${index}`, path: '', inode: BigInt(index) };
    const ledger = createLedger(join(directory, `${namespace.id}.json`));
    const { clock, log } = ports;
    return new NamespaceKeeper(namespace, {
      enter: () => enter(made),
      ...{ ledger, followers, starts, clock, log },
    });
  });
  const running = keepers.map((keeper) => keeper.run(stop.signal));
  const tell = async (upserts: readonly App[], complete: boolean): Promise<void> => {
    reconciler.inventory.apply('file=.', { upserts, removed: [], complete, learnedAt: 0 });
    const request = { full: complete, complete: true, changesSince: [], gone: [] };
    const pass = await reconciler.pass(request);
    if (pass.error !== null || reconciler.desired === null)
      throw new Error(pass.error ?? 'nothing is desired');
    followers.passed(request, pass, reconciler.desired);
  };
  try {
    const begun = performance.now();
    await tell(
      Array.from({ length: vips }, (_, index) => app(index, true)),
      true,
    );
    while (keepers.some(({ report }) => !report.isInSync)) await sleep(10);
    const startMs = performance.now() - begun;
    const [host, all]: [number[], number[]] = [[], []];
    let before = used();
    for (let round = 0; round < warmUp + changes; round += 1) {
      if (round === warmUp) before = used();
      const written = made.after(count);
      const at = performance.now();
      await tell([app(Math.floor(round / 2) % vips, round % 2 === 1)], false);
      const inHost = performance.now() - at;
      await written;
      if (round >= warmUp) {
        host.push(inHost);
        all.push(performance.now() - at);
      }
      await sleep(PAUSE_MS);
    }
    const after = used();
    const share = (from: number, to: number) => (to - from) / (after.at - before.at);
    const use = {
      controller: share(before.own, after.own),
      helpers: share(before.helpers, after.helpers),
    };
    return { startMs, host, all, use };
  } finally {
    stop.abort(null);
    await Promise.all(running);
    client.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function used(): { readonly at: number; readonly own: number; readonly helpers: number } {
  const { user, system } = process.cpuUsage();
  return { at: performance.now() / 1e3, own: (user + system) / 1e6, helpers: cpuOf('netns-phase') };
}

/** Starts a helper; each answer to a write of it counts. */
function enter(made: Countdown): RemoteNamespace {
  const [program = '', ...args] = [...NODE, PHASE];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const pipe = { input: child.stdin, output: child.stdout, kill: () => void child.kill('SIGKILL') };
  const remote = new RemoteNamespace(pipe, { sleep: () => new Promise(() => undefined) });
  const { apply } = remote.table;
  remote.table.apply = async (steps) => {
    const failures = await apply(steps);
    if (failures.length > 0) throw new Error('a step failed');
    if (steps.length > 0) made.down();
    return failures;
  };
  return remote;
}

/** Resolves once it has been told of so many. */
class Countdown {
  #left = 0;
  #reached: () => void = () => undefined;

  after(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  down(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#reached();
  }
}

/** One whose first task is healthy or not. */
function app(index: number, isHealthy: boolean): App {
  const made = marathonApp(index, INSTANCES, AGENTS);
  const [first, ...others] = made.tasks;
  const health = first?.healthCheckResults.map((result) => ({ ...result, alive: isHealthy }));
  const tasks = [{ ...first, healthCheckResults: health }, ...others];
  // As text, since strings that are put together take more memory than those that are read.
  const json = appSchema.parse(JSON.parse(JSON.stringify({ ...made, tasks })));
  return convertApp(json, { framework: 'marathon', agentAddress: (host: string) => host } as never);
}
