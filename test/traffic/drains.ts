/** An app with connections that are held open to it, and what becomes of them when an instance is taken out. */

import { readFile } from 'node:fs/promises';
import type { LedgerEntry } from '../../controller/ports.ts';
import { eventually } from '../support/host.ts';
import { type Cluster, TCP_PORT, UDP_PORT } from './cluster.ts';
import { type Figures, NONE } from './figures.ts';
import { backendsOf } from './kernel.ts';
import type { Target } from './queries.ts';

export interface HeldApp {
  readonly id: string;
  readonly tcp: Target;
  readonly udp: Target;
}

/** Deploys an app with a VIP of its own on these ports; resolves when all its instances are in the kernel. */
export async function deployHeld(
  cluster: Cluster,
  id: string,
  { instances, drainSeconds }: { readonly instances: number; readonly drainSeconds: number },
): Promise<HeldApp> {
  const labels = { IPVS_DRAIN_SECONDS: String(drainSeconds) };
  await cluster.marathon.addApp(cluster.app(id, instances, labels));
  const address = await eventually(async () => {
    const { services } = JSON.parse((await cluster.controller.get('/v1/diff')).body);
    return services.find(({ apps }: { apps: readonly string[] }) => apps.includes(id))?.address;
  });
  const app = { id, tcp: { address, port: TCP_PORT }, udp: { address, port: UDP_PORT } };
  for (const protocol of ['tcp', 'udp'] as const) {
    await eventually(async () => {
      const weights = await backendsOf(protocol, vipOf(app[protocol]));
      return weights?.size === instances && [...weights.values()].every((weight) => weight === 1);
    });
  }
  return app;
}

export function vipOf({ address, port }: Target): string {
  return `${address}:${port}`;
}

/** The backends of an instance's two ports. */
export function endpointsOf(
  cluster: Cluster,
  { id }: HeldApp,
  task: string,
): { readonly tcp: string; readonly udp: string } {
  const { host, ports } = cluster.marathon.tasks(id).find((each) => each['id'] === task) ?? {};
  const [tcp, udp] = Array.isArray(ports) ? ports : [];
  return { tcp: `${host}:${tcp}`, udp: `${host}:${udp}` };
}

/** Nothing is heard of its agent any more: it is no backend, though it may run on. Resolves with its TCP backend at weight 0. */
export async function takeOut(cluster: Cluster, app: HeldApp, task: string): Promise<void> {
  const { tcp } = endpointsOf(cluster, app, task);
  cluster.marathon.setTaskState(task, 'TASK_UNREACHABLE');
  await eventually(async () => (await backendsOf('tcp', vipOf(app.tcp)))?.get(tcp) === 0);
}

/** What was counted on the held connections, once that many more requests on them have ended: each makes one a second. */
export async function heldFigures({ client }: Cluster, requests: number): Promise<Figures> {
  const before = (await client.look()).held ?? NONE;
  return await eventually(async () => {
    const now = (await client.look()).held ?? NONE;
    return now.requests >= before.requests + requests && now;
  });
}

/** When this backend goes at the latest, by the ledger, in milliseconds since the epoch; undefined: it does not drain. */
export async function deadlineOf(cluster: Cluster, backend: string): Promise<number | undefined> {
  const lines = (await readFile(cluster.host.path('ledger.json'), 'utf8')).trimEnd().split('\n');
  const entries = new Map<string, LedgerEntry>();
  // Each is its checksum and JSON: ["put", KEY, ENTRY] or ["remove", KEY], after a header.
  for (const line of lines.slice(1)) {
    const [what, key, entry] = JSON.parse(line.slice(9));
    if (what === 'put') entries.set(key, entry);
    if (what === 'remove') entries.delete(key);
  }
  return [...entries.values()]
    .map(({ drains }) => drains?.[backend])
    .find((deadline) => deadline !== undefined);
}
