/**
 * `GET /v1/status` and `marathon-ipvs status -o json`: the one description of their shape. Keys may be added, never
 * renamed. Times are RFC 3339; sizes are bytes; rates are per second.
 */

import { z } from 'zod';

const instant = z.iso.datetime();
const count = z.number().nonnegative();
const port = z.number().int().min(0).max(65_535);

/** Totals since the kernel made the service or backend, and the kernel's own average over some seconds. */
const traffic = z.object({
  connections: count,
  inPackets: count,
  outPackets: count,
  inBytes: count,
  outBytes: count,
  connectionRate: count,
  inPacketRate: count,
  outPacketRate: count,
  inByteRate: count,
  outByteRate: count,
});

const backend = z.object({
  address: z.string(),
  port,
  /** Where the host publishes it, if packets go to another address and port: those of its container. */
  hostPort: z.object({ address: z.string(), port }).nullable(),
  /** What the kernel has where it has it, else what it should have. 0: no new connections. */
  weight: z.number().int(),
  forward: z.string(),
  /** null for one that leaves: no source knows it any more. */
  app: z.string().nullable(),
  task: z.string().nullable(),
  /** Why it has this weight, in words. */
  reason: z.string(),
  /** When weight or reason last changed; the controller's start where it found them so. */
  since: instant,
  /** Whether the kernel has it: a UDP backend of weight 0 is left out there. */
  inKernel: z.boolean(),
  activeConnections: count,
  inactiveConnections: count,
  /** null while it drains not. */
  drain: z.object({ connections: count, deadline: instant, secondsLeft: count }).nullable(),
  /** null where the kernel's counters are not known. */
  traffic: traffic.nullable(),
});

/**
 * `forwarding`: as desired, with a backend in rotation. `out of rotation`: as desired, all weights are 0. `draining`: it
 * leaves, connections go on. `held`: something of it would be removed, and waits for confirmation. `pending`: not yet as
 * desired. `conflict`: another program has its address and port. `no backend`: declared, and not in the kernel.
 */
const state = z.enum([
  'forwarding',
  'out of rotation',
  'draining',
  'held',
  'pending',
  'conflict',
  'no backend',
]);

const vip = z.object({
  /** `tcp/11.0.0.1:80`; `tcp/web.marathon:80` of one that has no address yet. Unique. */
  id: z.string(),
  name: z.string().nullable(),
  framework: z.string().nullable(),
  fqdn: z.string().nullable(),
  protocol: z.string(),
  address: z.string().nullable(),
  port,
  /** null for one that has no backend. */
  scheduler: z.string().nullable(),
  persistenceSeconds: count,
  apps: z.array(z.string()),
  state,
  /** Why, where the state says not all: the write that failed, what it waits for. */
  reason: z.string().nullable(),
  since: instant,
  activeConnections: count,
  inactiveConnections: count,
  traffic: traffic.nullable(),
  backends: z.array(backend),
});

const source = z.object({
  name: z.string(),
  apps: count,
  readAt: instant.nullable(),
  /** When what is used now was saved to our own disk; null when it comes from the source itself. */
  fromDiskOf: instant.nullable(),
  ageSeconds: count.nullable(),
  failure: z.object({ at: instant, message: z.string() }).nullable(),
});

/** Removals that the mass-removal brake holds back. */
const held = z.object({
  reason: z.string(),
  since: instant,
  /** When they are made if the source still says the same. */
  until: instant,
  /** Ids of the VIPs that lose something. */
  services: z.array(z.string()),
});

const kernel = z.object({
  /** When the counters were read. null: they could not be, and those of the last pass are shown. */
  readAt: instant.nullable(),
  error: z.string().nullable(),
  ipvsVersion: z.string().nullable(),
  /** Services of the whole table, those of other programs among them. */
  services: count,
  foreignServices: count,
  backends: count,
  /** Buckets of the connection table. */
  connectionTableSize: count.nullable(),
  conntrack: z.object({ count, max: count }).nullable(),
  /** For how long IPVS keeps an idle connection, in seconds. */
  timeouts: z.object({ tcp: count, tcpFin: count, udp: count }).nullable(),
});

export const statusDocument = z.object({
  apiVersion: z.literal('marathon-ipvs/v1'),
  at: instant,
  version: z.string(),
  startedAt: instant,
  dryRun: z.boolean(),
  ready: z.boolean(),
  /** The checks of `/readyz`. */
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), message: z.string().nullable() })),
  lastPass: z
    .object({
      kind: z.enum(['full', 'changes']),
      finishedAt: instant,
      durationMs: count,
      error: z.string().nullable(),
    })
    .nullable(),
  /** When a pass last left the kernel as desired. */
  convergedAt: instant.nullable(),
  summary: z.object({
    vips: count,
    byState: z.partialRecord(state, count),
    backends: count,
    backendsInRotation: count,
    connections: count,
  }),
  sources: z.array(source),
  vips: z.array(vip),
  /** null: nothing is held. */
  held: held.nullable(),
  conflicts: z.array(z.object({ id: z.string(), apps: z.array(z.string()), reason: z.string() })),
  rejected: z.array(z.object({ app: z.string(), at: z.string(), value: z.string(), reason: z.string() })),
  warnings: z.array(z.string()),
  /** Writes of the last pass that failed, in ipvsadm's notation. */
  failures: z.array(z.object({ step: z.string(), message: z.string() })),
  /** Writes that failed before and wait for their next try. */
  waiting: count,
  /** What keeps VIPs from being reached, and what should be otherwise, each with what mends it. */
  host: z.object({ problems: z.array(z.string()), advice: z.array(z.string()) }),
  kernel,
});

export type StatusDocument = z.infer<typeof statusDocument>;
export type VipDocument = z.infer<typeof vip>;
export type BackendDocument = z.infer<typeof backend>;
export type VipState = z.infer<typeof state>;
export type Traffic = z.infer<typeof traffic>;
