/**
 * The peer of latency-bench: the least that brings the same changes into the kernel. It hears Marathon's events, reads
 * the app that one tells of, and writes with our library what is different: no names, no rules, no ledger, nothing
 * that is read back, no metrics.
 */

import { Agent, get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Change, Destination, IpvsClient, ServiceId } from 'ipvs-netlink-ts';

interface Task {
  readonly host: string;
  readonly ports: readonly number[];
  readonly state: string;
  readonly healthCheckResults?: readonly { readonly alive: boolean }[];
}

interface App {
  readonly id: string;
  readonly tasks: readonly Task[];
}

const EVENTS = new Set(['status_update_event', 'instance_health_changed_event']);

/** The VIP of an app by its number, `/group-7/service-7`: an address that the controller would not give. */
export function peerAddress(index: number): string {
  return `10.200.${index >> 8}.${index & 255}`;
}

/** Resolves when all apps are in the kernel and events are heard; follows them until the process ends. */
export async function followBarely(client: IpvsClient, url: string): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const ask = async (path: string, accept = 'application/json') => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    get(`${url}${path}`, { agent, headers: { accept } }, resolve).on('error', reject);
    return await promise;
  };
  const written = new Map<string, ReadonlyMap<string, Destination>>();
  const write = async (app: App): Promise<void> => {
    const service = serviceOf(app.id);
    const wanted = destinationsOf(app);
    const had = written.get(app.id);
    written.set(app.id, wanted);
    const changes: Change[] = [];
    if (had === undefined) changes.push({ op: 'add-service', service: { ...service, scheduler: 'wlc' } });
    for (const [key, destination] of wanted)
      if (had?.has(key) !== true) changes.push({ op: 'add-destination', service, destination });
    for (const [key, destination] of had ?? [])
      if (!wanted.has(key)) changes.push({ op: 'remove-destination', service, destination });
    const [failed] = await client.batch(changes);
    if (failed !== undefined) throw failed.error;
  };

  const events = await ask('/v2/events', 'text/event-stream');
  const { apps } = JSON.parse(await text(await ask('/v2/apps?embed=apps.tasks')));
  for (const app of apps) await write(app);

  /** Apps that are being read; true: told of once more meanwhile. */
  const reading = new Map<string, boolean>();
  const read = async (id: string): Promise<void> => {
    do {
      reading.set(id, false);
      await write(JSON.parse(await text(await ask(`/v2/apps/${id}?embed=app.tasks`))).app);
    } while (reading.get(id) === true);
    reading.delete(id);
  };
  createInterface(events).on('line', (line) => {
    if (!line.startsWith('data:')) return;
    const { eventType, appId, runSpecId } = JSON.parse(line.slice('data:'.length));
    const id = appId ?? runSpecId;
    if (!EVENTS.has(eventType)) return;
    if (reading.has(id)) reading.set(id, true);
    else void read(id);
  });
}

function serviceOf(id: string): ServiceId {
  return { protocol: 'tcp', address: peerAddress(Number(id.split('-').at(-1))), port: 80 };
}

function destinationsOf({ tasks }: App): ReadonlyMap<string, Destination> {
  const destinations = new Map<string, Destination>();
  for (const { host: address, ports, state, healthCheckResults = [] } of tasks) {
    const port = ports[0];
    const healthy = healthCheckResults.length > 0 && healthCheckResults.every(({ alive }) => alive);
    if (state !== 'TASK_RUNNING' || !healthy || port === undefined) continue;
    destinations.set(`${address}:${port}`, { address, port, weight: 1, forwardingMethod: 'masquerade' });
  }
  return destinations;
}
