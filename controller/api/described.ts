/**
 * Shapes of what `/v1` answers besides the documents of `status/` and `doctor/`: those that are made from the model as it
 * is. Keys may be added, never renamed.
 */

import { z } from 'zod';
import {
  apiVersion,
  backendSettings,
  conflict,
  instant,
  nearness,
  portNumber,
  protocol,
  rejection,
  serviceSettings,
  slowStartSeconds,
  vipName,
} from '../status/shapes.ts';

const op = z
  .enum(['add', 'change', 'remove', 'keep'])
  .describe('What becomes of it; keep: the kernel has it as desired.');
const value = z.union([z.string(), z.number()]);
const changes = z
  .array(
    z.object({
      field: z.string().describe('Its name, as in this document.'),
      was: value.describe('What the kernel has.'),
      becomes: value.describe('What is desired.'),
    }),
  )
  .optional()
  .describe('Fields that differ in the kernel; left out where none does.');

const plannedBackend = z.object({
  op,
  address: z.string().describe('Where this host sends packets.'),
  port: portNumber.describe('The port there.'),
  hostPort: z
    .object({
      address: z.string().describe('Address of the host that publishes it.'),
      port: portNumber.describe('Port of that host.'),
    })
    .optional()
    .describe('How other hosts reach it, where that differs.'),
  ...backendSettings,
  weight: z.int().describe('What is desired; of one that goes, what the kernel has. 0: no new connections.'),
  app: z.string().nullable().describe('Id of its app; null for one that goes.'),
  task: z.string().nullable().describe('Id of its task; null for one that goes.'),
  reason: z.string().describe('Why it has this weight, or goes, in words.'),
  changes,
});

const plannedService = z.object({
  op: op.describe(
    'What becomes of it; change: its settings or one of its backends. keep: the kernel has it as desired.',
  ),
  ...vipName,
  protocol,
  address: z.string().describe('The address that clients use.'),
  port: portNumber.describe('The port that clients use.'),
  ...serviceSettings,
  apps: z.array(z.string()).describe('Ids of the apps that declare it.'),
  slowStartSeconds,
  adopted: z.boolean().describe("Whether the kernel had it as another program's and it becomes ours."),
  held: z.literal(true).optional().describe('Part of what would be taken from it waits for confirmation.'),
  changes,
  reason: z.string().nullable().describe('Why it goes, or is held; null otherwise.'),
  nearness: nearness
    .optional()
    .describe('Which backends it has, where only the nearest are wanted; left out where all are.'),
  backends: z.array(plannedBackend).describe('All of them, those that go too.'),
});

const declared = z.object({
  app: z.string().describe('Id of the app or pod.'),
  ...vipName,
  address: z.string().nullable().describe('Address of an IP VIP; null for a named one.'),
  protocol,
  port: portNumber.describe('The port that clients use.'),
  backends: z.int().describe('How many backends this app has behind it.'),
  withoutBackends: z
    .string()
    .optional()
    .describe('Why the app has none behind it: `no task runs`. Absent where it has some.'),
  at: z.string().describe("Path in the app's JSON."),
  mode: z.enum(['host', 'container/bridge', 'container']).describe('Networking of the port.'),
  backendAddress: z
    .enum(['agent', 'container'])
    .describe(
      "Whether backends are the agent's address and a host port, or the container's own address and port.",
    ),
  container: z.string().optional().describe("Name of the pod's container, where the port belongs to one."),
});

/** `GET /v1/diff`, and `diff -o json`. */
export const diffDocument = z.object({
  apiVersion,
  summary: z
    .object({
      add: z.int().describe('Services to be added.'),
      change: z.int().describe('Services of which something changes, a backend too.'),
      remove: z.int().describe('Services to be removed.'),
      keep: z.int().describe('Services that stay as they are.'),
    })
    .describe('How many services there are of each.'),
  services: z
    .array(plannedService)
    .describe('One for each VIP and address family that is desired with a backend, or goes; by name.'),
  declared: z.array(declared).describe('Each VIP that an app or pod asks for, once per protocol and app.'),
  steps: z.array(z.string()).describe("The writes in their order, in ipvsadm's notation."),
  conflicts: z
    .array(
      z.object({
        key: z.string().describe('Protocol, address and port: tcp/192.168.7.7:80.'),
        ...conflict,
      }),
    )
    .describe("VIPs whose address and port another program's service has."),
  rejected: z.array(rejection).describe('What could not be used of the definitions.'),
  warnings: z.array(z.string()).describe('What is odd in the definitions and could be used.'),
  held: z.string().nullable().describe('A line about a mass removal that is held; null: none is.'),
  leftAlone: z
    .int()
    .min(0)
    .describe('Services of other programs that no app asks for, of which nothing is changed.'),
});

/** `GET /v1/vips`, as dcos-net answers it. */
export const vipsDocument = z.array(
  z.object({
    vip: z
      .string()
      .describe('NAME.FRAMEWORK.ZONE:PORT, or ADDRESS:PORT of an IP VIP; IPv6 without brackets.'),
    protocol: z.enum(['tcp', 'udp']).describe('tcp or udp.'),
    backend: z
      .array(
        z.object({
          ip: z.string().describe('Its address, as other hosts reach it.'),
          port: portNumber.describe('Its port, as other hosts reach it.'),
        }),
      )
      .describe('Its backends.'),
  }),
);

/** `GET /v1/deployments/ID`. */
export const deploymentDocument = z.object({
  deployment: z.string().describe('Its id, as it was asked for.'),
  app: z.string().describe('Id of the app, as it was asked for.'),
  progress: z
    .object({
      step: z.int().describe('The step that is made now, from 1.'),
      steps: z.int().describe('How many there are.'),
      actions: z.array(z.string()).describe('What is done now: StartApplication /web.'),
    })
    .nullable()
    .describe('How far it is; null once it is over, whether it has reached its end or was cancelled.'),
  instances: z
    .object({
      wanted: z.int().describe('How many the definition asks for.'),
      running: z.int().describe('How many run.'),
      ready: z.int().describe('How many run, and are healthy where that is checked.'),
      checked: z.boolean().describe('Whether the app has a health check.'),
    })
    .nullable()
    .describe('Of the app; null where Marathon does not have it.'),
  others: z.array(z.string()).describe('Ids of other deployments that change this app.'),
  failure: z
    .string()
    .nullable()
    .describe('What Marathon says of the last task that failed, where that had the present definition.'),
  backendsInRotation: z
    .int()
    .describe('How many backends of the app get new connections on this host, over all of its VIPs.'),
});

export type DeploymentDocument = z.infer<typeof deploymentDocument>;

/** Whatever is not answered as asked for. */
export const problemDocument = z.looseObject({ error: z.string().describe('What is wrong, in words.') });

/** `GET /v1/apps`. */
export const appListDocument = z.object({
  apps: z.array(z.string()).describe('Ids of all apps, absolute, sorted.'),
});

export type AppListDocument = z.infer<typeof appListDocument>;

/** An app in Marathon's own form: the body of `POST` and `PUT`. Marathon alone judges what is in it. */
export const appDefinition = z
  .looseObject({})
  .describe("An app in Marathon's own form, with its `id`: absolute, /group/web. PUT may leave that out.");

/** `GET /v1/apps/ID`. */
export const appDocument = z.object({
  app: appDefinition.describe(
    "Its definition in Marathon's own form, without what Marathon adds to it and without fields that are null.",
  ),
});

export type AppDocument = z.infer<typeof appDocument>;

/** A write to `/v1/apps` that Marathon took. */
export const writeAcceptedDocument = z.object({
  result: z.literal('accepted').describe('Marathon took it.'),
  version: z.string().nullable().describe('Of the definition; null where Marathon does not say.'),
  deployment: z
    .string()
    .nullable()
    .describe('Id of the deployment that carries it out; null where there is nothing to do.'),
});

export type WriteAcceptedDocument = z.infer<typeof writeAcceptedDocument>;

/** A write to `/v1/apps` that Marathon refused. */
export const writeRefusedDocument = z.object({
  error: z.string().describe("What is wrong, in Marathon's words."),
  why: z
    .enum(['exists', 'absent', 'locked', 'busy', 'invalid', 'forbidden'])
    .describe(
      'locked: running deployments change it; busy: too many of them run; forbidden: this controller may not write it at Marathon.',
    ),
  deployments: z.array(z.string()).describe('Ids of the deployments that lock it.'),
  details: z
    .array(
      z.object({
        at: z.string().describe("Path in the app's JSON: portDefinitions[0].port; empty for the whole."),
        errors: z.array(z.string()).describe('What is wrong there.'),
      }),
    )
    .describe('What Marathon says of single fields.'),
});

export type WriteRefusedDocument = z.infer<typeof writeRefusedDocument>;

/** `GET /v1/history`, the newest first. */
export const historyDocument = z.object({
  changes: z
    .array(
      z.object({
        at: instant.describe('When a pass found it so.'),
        vip: z.string().describe('Id of the VIP, as in the status.'),
        kind: z
          .enum([
            'appeared',
            'gone',
            'state',
            'settings',
            'backend added',
            'backend removed',
            'backend',
            'not held',
          ])
          .describe(
            'What changed; settings: scheduler, persistence, its other settings or apps. backend: weight, reason or task of one. not held: it lost backends to a large removal, and why that was not held.',
          ),
        backend: z
          .string()
          .nullable()
          .describe('Address and port of the backend; null where it concerns the VIP as a whole.'),
        text: z.string().describe('The change in words: weight 1 -> 0: being killed.'),
      }),
    )
    .describe('The newest first: 200 of all VIPs, or the last 50 of the one that was asked for.'),
});
