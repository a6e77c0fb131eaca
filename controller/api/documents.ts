/**
 * Schemas of the `/v1` documents that are made straight from the model; `status/` and `doctor/` have the others. Keys may
 * be added, never renamed.
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
} from '../status/schemas.ts';

const op = z
  .enum(['add', 'change', 'remove', 'keep'])
  .describe('The planned change; keep: the kernel has it as desired.');
const value = z.union([z.string(), z.number()]);
const changes = z
  .array(
    z.object({
      field: z.string().describe('Name of the field in this document.'),
      was: value.describe('Value in the kernel.'),
      becomes: value.describe('Desired value.'),
    }),
  )
  .optional()
  .describe('Fields that differ in the kernel; absent if none does.');

const plannedBackend = z.object({
  op,
  address: z.string().describe('Address to which this host sends packets.'),
  port: portNumber.describe('Port at that address.'),
  hostPort: z
    .object({
      address: z.string().describe('Address of the host that publishes it.'),
      port: portNumber.describe('Port of that host.'),
    })
    .optional()
    .describe('How other hosts reach it, if that differs.'),
  ...backendSettings,
  weight: z
    .int()
    .describe(
      'Desired weight; for a backend to be removed, its weight in the kernel. 0: no new connections.',
    ),
  app: z.string().nullable().describe('Id of its app; null if it is to be removed.'),
  task: z.string().nullable().describe('Id of its task; null if it is to be removed.'),
  reason: z.string().describe('Why it has this weight, or is to be removed.'),
  changes,
});

const plannedService = z.object({
  op: op.describe(
    'The planned change; change: of its settings or of a backend. keep: the kernel has it as desired.',
  ),
  ...vipName,
  protocol,
  address: z.string().describe('Address of the VIP.'),
  port: portNumber.describe('Port of the VIP.'),
  ...serviceSettings,
  apps: z.array(z.string()).describe('Ids of the apps that declare it.'),
  slowStartSeconds,
  adopted: z
    .boolean()
    .describe('Whether another program created it in the kernel and this controller takes it over.'),
  held: z
    .literal(true)
    .optional()
    .describe('Present if the mass-removal brake holds the removal of the VIP or of its backends.'),
  changes,
  reason: z.string().nullable().describe('Why it is to be removed, or is held; null otherwise.'),
  nearness: nearness
    .optional()
    .describe('How near its backends are, if the VIP uses only the nearest; absent if it uses all.'),
  backends: z.array(plannedBackend).describe('Its backends, including those to be removed.'),
});

const declared = z.object({
  app: z.string().describe('Id of the app or pod.'),
  ...vipName,
  address: z.string().nullable().describe('Address of an IP VIP; null for a named one.'),
  protocol,
  port: portNumber.describe('Port of the VIP.'),
  backends: z.int().describe('Number of backends that this app contributes.'),
  withoutBackends: z
    .string()
    .optional()
    .describe('Why the app contributes no backend: `no task runs`. Absent if it contributes any.'),
  at: z.string().describe("Path in the app's JSON."),
  mode: z.enum(['host', 'container/bridge', 'container']).describe('Networking mode of the port.'),
  backendAddress: z
    .enum(['agent', 'container'])
    .describe(
      "Whether a backend is the agent's address with a host port, or the container's own address and port.",
    ),
  container: z.string().optional().describe('Name of the container in the pod, if the port belongs to one.'),
});

/** `GET /v1/diff`, and `diff -o json`. */
export const diffDocument = z.object({
  apiVersion,
  summary: z
    .object({
      add: z.int().describe('Services to be added.'),
      change: z.int().describe('Services whose settings or backends change.'),
      remove: z.int().describe('Services to be removed.'),
      keep: z.int().describe('Services that do not change.'),
    })
    .describe('Number of services per planned change.'),
  services: z
    .array(plannedService)
    .describe(
      'One per VIP and address family that has a desired backend or is to be removed, sorted by name.',
    ),
  declared: z.array(declared).describe('Every VIP that an app or pod declares, once per protocol and app.'),
  steps: z.array(z.string()).describe('The writes in order, in the notation of ipvsadm.'),
  conflicts: z
    .array(
      z.object({
        key: z.string().describe('Protocol, address and port: tcp/192.168.7.7:80.'),
        ...conflict,
      }),
    )
    .describe("VIPs whose address and port belong to another program's service."),
  rejected: z.array(rejection).describe('Parts of the definitions that cannot be used.'),
  warnings: z.array(z.string()).describe('Parts of the definitions that are used but look wrong.'),
  held: z.string().nullable().describe('One line about the mass removal that is held; null if none is.'),
  leftAlone: z
    .int()
    .min(0)
    .describe('Number of services of other programs that no app declares; they are not changed.'),
});

/** `GET /v1/vips`, in the form of dcos-net. */
export const vipsDocument = z.array(
  z.object({
    vip: z
      .string()
      .describe('NAME.FRAMEWORK.ZONE:PORT, or ADDRESS:PORT for an IP VIP; IPv6 without brackets.'),
    protocol: z.enum(['tcp', 'udp']).describe('tcp or udp.'),
    backend: z
      .array(
        z.object({
          ip: z.string().describe('Address at which other hosts reach it.'),
          port: portNumber.describe('Port at which other hosts reach it.'),
        }),
      )
      .describe('Its backends.'),
  }),
);

/** `GET /v1/deployments/ID`. */
export const deploymentDocument = z.object({
  deployment: z.string().describe('Id of the deployment, as requested.'),
  app: z.string().describe('Id of the app, as requested.'),
  progress: z
    .object({
      step: z.int().describe('The current step, counted from 1.'),
      steps: z.int().describe('Number of steps.'),
      actions: z.array(z.string()).describe('Actions of the current step: StartApplication /web.'),
    })
    .nullable()
    .describe('Progress of the deployment; null once it has finished or was cancelled.'),
  instances: z
    .object({
      wanted: z.int().describe('Number of instances in the definition.'),
      running: z.int().describe('Number of running instances.'),
      ready: z
        .int()
        .describe('Number of instances that run and, if the app has a health check, are healthy.'),
      checked: z.boolean().describe('Whether the app has a health check.'),
    })
    .nullable()
    .describe('Instances of the app; null if it does not exist at Marathon.'),
  others: z.array(z.string()).describe('Ids of other deployments that change this app.'),
  failure: z
    .string()
    .nullable()
    .describe("Marathon's message about the last failed task, if it had the current definition; else null."),
  backendsInRotation: z
    .int()
    .describe('Number of backends of the app that get new connections on this host, over all of its VIPs.'),
});

export type DeploymentDocument = z.infer<typeof deploymentDocument>;

/** The body of every error answer. */
export const problemDocument = z.looseObject({ error: z.string().describe('What is wrong.') });

/** `GET /v1/apps`. */
export const appListDocument = z.object({
  apps: z.array(z.string()).describe('Absolute ids of all apps, sorted.'),
});

export type AppListDocument = z.infer<typeof appListDocument>;

/** An app definition in Marathon's format: the body of `POST` and `PUT`. Marathon validates it. */
export const appDefinition = z
  .looseObject({})
  .describe(
    "An app definition in Marathon's format, with its absolute `id`: /group/web. PUT may omit the id.",
  );

/** `GET /v1/apps/ID`. */
export const appDocument = z.object({
  app: appDefinition.describe(
    "The definition in Marathon's format, without the fields that Marathon adds and those that are null.",
  ),
});

export type AppDocument = z.infer<typeof appDocument>;

/** A write to `/v1/apps` that Marathon accepted. */
export const writeAcceptedDocument = z.object({
  result: z.literal('accepted').describe('Marathon accepted the write.'),
  version: z.string().nullable().describe('Version of the definition; null if Marathon does not return it.'),
  deployment: z
    .string()
    .nullable()
    .describe('Id of the deployment that rolls it out; null if there is nothing to do.'),
});

export type WriteAcceptedDocument = z.infer<typeof writeAcceptedDocument>;

/** A write to `/v1/apps` that Marathon refused. */
export const writeRefusedDocument = z.object({
  error: z.string().describe("Marathon's error message."),
  why: z
    .enum(['exists', 'absent', 'locked', 'busy', 'invalid', 'forbidden'])
    .describe(
      'locked: a running deployment changes the app; busy: too many deployments are running; forbidden: Marathon denies this controller the write.',
    ),
  deployments: z.array(z.string()).describe('Ids of the deployments that lock it.'),
  details: z
    .array(
      z.object({
        at: z.string().describe("Path in the app's JSON: portDefinitions[0].port; empty for the whole app."),
        errors: z.array(z.string()).describe('What is wrong there.'),
      }),
    )
    .describe("Marathon's errors about single fields."),
});

export type WriteRefusedDocument = z.infer<typeof writeRefusedDocument>;

/** `GET /v1/history`, newest first. */
export const historyDocument = z.object({
  changes: z
    .array(
      z.object({
        at: instant.describe('When a pass detected the change.'),
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
            'What changed; settings: scheduler, persistence, another setting or the apps. backend: weight, reason or task of a backend. not held: a large removal took backends from it, and `text` says why that was not held.',
          ),
        backend: z
          .string()
          .nullable()
          .describe('Address and port of the backend; null if the change concerns the whole VIP.'),
        text: z.string().describe('The change as text: weight 1 -> 0: being killed.'),
      }),
    )
    .describe('Newest first: the last 200 of all VIPs, or the last 50 of the requested VIP.'),
});
