/**
 * Shapes of what `/v1` answers besides the documents of `status/` and `doctor/`: those that are made from the model as it
 * is. Keys may be added, never renamed.
 */

import { z } from 'zod';

const port = z.int().min(0).max(65_535);
const endpoint = z.object({ address: z.string(), port });
const op = z.enum(['add', 'change', 'remove', 'keep']);
const value = z.union([z.string(), z.number()]);
const changes = z.array(z.object({ field: z.string(), was: value, becomes: value })).optional();

const plannedBackend = z.object({
  op,
  ...endpoint.shape,
  hostPort: endpoint.optional().describe('How other hosts reach it, where that differs.'),
  weight: z.int(),
  forward: z.string(),
  app: z.string().nullable().describe('null for one that goes.'),
  task: z.string().nullable(),
  reason: z.string(),
  changes,
});

const plannedService = z.object({
  op,
  name: z.string().nullable(),
  framework: z.string().nullable(),
  fqdn: z.string().nullable(),
  protocol: z.string(),
  ...endpoint.shape,
  scheduler: z.string(),
  persistenceSeconds: z.number(),
  apps: z.array(z.string()),
  adopted: z.boolean(),
  held: z.literal(true).optional().describe('Part of what would be taken from it waits for confirmation.'),
  changes,
  reason: z.string().nullable(),
  backends: z.array(plannedBackend),
});

const declared = z.object({
  app: z.string(),
  name: z.string().nullable(),
  framework: z.string().nullable(),
  fqdn: z.string().nullable(),
  address: z.string().nullable(),
  protocol: z.string(),
  port,
  backends: z.int(),
  at: z.string().describe("Path in the app's JSON."),
  mode: z.enum(['host', 'container/bridge', 'container']),
  backendAddress: z.enum(['agent', 'container']),
  container: z.string().optional(),
});

/** `GET /v1/diff`, and `diff -o json`. */
export const diffDocument = z.object({
  apiVersion: z.literal('marathon-ipvs/v1'),
  summary: z.object({ add: z.int(), change: z.int(), remove: z.int(), keep: z.int() }),
  services: z.array(plannedService),
  declared: z.array(declared),
  steps: z.array(z.string()).describe("The writes in their order, in ipvsadm's notation."),
  conflicts: z.array(z.object({ key: z.string(), apps: z.array(z.string()), reason: z.string() })),
  rejected: z.array(z.object({ app: z.string(), at: z.string(), value: z.string(), reason: z.string() })),
  warnings: z.array(z.string()),
  held: z.string().nullable(),
});

/** `GET /v1/vips`, as dcos-net answers it. */
export const vipsDocument = z.array(
  z.object({
    vip: z.string(),
    protocol: z.enum(['tcp', 'udp']),
    backend: z.array(z.object({ ip: z.string(), port })),
  }),
);

/** Whatever is not answered as asked for. */
export const problemDocument = z.looseObject({ error: z.string() });

/** `GET /v1/history`, the newest first. */
export const historyDocument = z.object({
  changes: z.array(
    z.object({
      at: z.iso.datetime(),
      vip: z.string().describe('Id of the VIP, as in the status.'),
      kind: z.enum(['appeared', 'gone', 'state', 'settings', 'backend added', 'backend removed', 'backend']),
      backend: z.string().nullable().describe('null where it concerns the VIP as a whole.'),
      text: z.string(),
    }),
  ),
});
