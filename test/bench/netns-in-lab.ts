/**
 * `marathon-ipvs run --netns-dir` with the test Marathon of this process. A witness (netns-witness.c) reads the kernel itself, in
 * the host's namespace and in all others, from the moment at which Marathon sent the event.
 */

import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusDocument } from '../../controller/status/document.ts';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';
import { marathonApp } from './apps.ts';
import { cpuOf, type Measured } from './netns-measured.ts';
import { RunningController } from './running-controller.ts';
import { timed } from './timed.ts';

const INSTANCES = 3;
const AGENTS = 50;
const PAUSE_MS = 500;
/** After so long the namespaces will not come in sync. */
const LIMIT_MS = 200_000;

/** Brings the VIPs into all namespaces, then makes so many changes, one after the other; the first ones do not count. */
export async function measureInLab(
  count: number,
  vips: number,
  warmUp: number,
  changes: number,
): Promise<Measured> {
  const names = Array.from({ length: count }, (_, index) => `bench${index}`);
  const folder = mkdtempSync(join(tmpdir(), 'netns-bench-'));
  const directory = join(folder, 'l4lb');
  const marathon = await deploy(vips);
  let controller: RunningController | null = null;
  try {
    mkdirSync(directory, { mode: 0o700 });
    for (const name of names) {
      execFileSync('ip', ['netns', 'add', name]);
      execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
      writeFileSync(join(directory, name), `/run/netns/${name}\n`, { mode: 0o644 });
    }
    const begun = performance.now();
    const args = ['--source', `marathon=${marathon.url}`, '--netns-dir', directory];
    controller = RunningController.start(folder, args);
    await controller.ready();
    await allInSync(names, begun);
    const startMs = performance.now() - begun;
    const witness = startWitness(folder, names);
    const changed = await change(controller, marathon, { witness, vips, warmUp, changes });
    witness.stdin.end();
    return { startMs, ...changed };
  } finally {
    await controller?.stop();
    await marathon.close();
    for (const name of names) execFileSync('ip', ['netns', 'del', name]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function deploy(vips: number): Promise<TestMarathon> {
  const agents = Array.from({ length: AGENTS }, (_, index) => ({ hostname: `10.0.0.${index}` }));
  const made = await startMarathon({ processes: false, agents });
  for (let index = 0; index < vips; index += 1) {
    const { id, cmd, portDefinitions, healthChecks } = marathonApp(index, 0, AGENTS);
    const ports = portDefinitions.map((port) => ({ ...port, port: 0 }));
    await made.addApp({ id, cmd, instances: INSTANCES, portDefinitions: ports, healthChecks });
  }
  return made;
}

/** Resolves once every namespace is in sync; rejects where one does not come to be. */
async function allInSync(names: readonly string[], begun: number): Promise<void> {
  for (;;) {
    const document = (await (await fetch('http://127.0.0.1:61421/v1/status')).json()) as StatusDocument;
    const known = new Map(document.networkNamespaces?.namespaces.map((each) => [each.id, each]));
    const behind = names.filter((name) => known.get(name)?.inSync !== true);
    if (behind.length === 0) return;
    if (performance.now() - begun > LIMIT_MS) {
      const reasons = behind.map((name) => `${name}: ${known.get(name)?.reason ?? 'not found'}`);
      throw new Error(`not in sync: ${reasons.join('; ')}`);
    }
    await sleep(500);
  }
}

type Witness = ChildProcessByStdio<Writable, Readable, null>;

function startWitness(folder: string, names: readonly string[]): Witness {
  const program = join(folder, 'witness');
  timed(['gcc', '-O2', '-o', program, join(import.meta.dirname, 'netns-witness.c')]);
  const files = names.map((name) => `/run/netns/${name}`);
  return spawn(program, files, { stdio: ['pipe', 'pipe', 'inherit'] });
}

interface Changing {
  readonly witness: Witness;
  readonly vips: number;
  readonly warmUp: number;
  readonly changes: number;
}

async function change(
  controller: RunningController,
  marathon: TestMarathon,
  { witness, vips, warmUp, changes }: Changing,
): Promise<Omit<Measured, 'startMs'>> {
  const addresses = await controller.addresses();
  const seen = createInterface(witness.stdout)[Symbol.asyncIterator]();
  const tasks = new Map<string, string>();
  for (const { id, appId } of marathon.tasks()) tasks.set(String(appId), String(id));
  const [host, all]: [number[], number[]] = [[], []];
  const used = () => ({
    at: performance.now() / 1e3,
    own: controller.cpuSeconds(),
    helpers: cpuOf('netns-helper'),
  });
  let before = used();
  for (let round = 0; round < warmUp + changes; round += 1) {
    if (round === warmUp) before = used();
    // Each app twice: its health fails, and comes back.
    const index = Math.floor(round / 2) % vips;
    const isBack = round % 2 === 1;
    const { id } = marathonApp(index, 0, AGENTS);
    witness.stdin.write(`${addresses.get(`service-${index}`)} 80 ${isBack ? INSTANCES : INSTANCES - 1}\n`);
    const events = marathon.events.length;
    marathon.setHealth(tasks.get(id) ?? '', isBack);
    const told = Date.parse(marathon.events[events]?.timestamp ?? '');
    const { value, done } = await seen.next();
    if (done === true) throw new Error('the witness has ended');
    const [inHost = Number.NaN, inAll = Number.NaN] = value.split(' ').map(Number);
    if (round >= warmUp) {
      host.push(inHost - told);
      all.push(inAll - told);
    }
    await sleep(PAUSE_MS);
  }
  const after = used();
  const seconds = after.at - before.at;
  const share = (from: number, to: number) => (to - from) / seconds;
  const use = {
    controller: share(before.own, after.own),
    helpers: share(before.helpers, after.helpers),
  };
  return { host, all, use };
}
