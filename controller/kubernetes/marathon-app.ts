import { z } from 'zod';
import { appFields, podFields } from '../input/marathon-json.ts';
import { OPTION_KEYS } from '../settings/label-keys.ts';

/**
 * Schemas of the custom resource `MarathonApp`: its author writes `spec`, the elected controller writes `status`. The CRD's
 * OpenAPI schema is generated from these (`npm run crd`).
 */

const described = (description: string) => ({ description });

/** Marathon's ids (`PathId`): names of lowercase letters, digits, hyphens and dots, separated by slashes. */
export const ID_PATTERN =
  /^\/?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(\/[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)*$/;

export const ID_EXPECTED =
  'expected a Marathon id: names of lowercase letters, digits, hyphens and dots, separated by slashes';

const idSchema = z.string().min(1).max(1_024).regex(ID_PATTERN, ID_EXPECTED);

const selectorSchema = z
  .object({
    matchLabels: z.record(z.string(), z.string()).optional(),
    matchExpressions: z
      .array(
        z.object({
          key: z.string().min(1).max(317),
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: z.array(z.string().max(63)).max(64).optional(),
        }),
      )
      .max(16)
      .optional(),
  })
  .meta(described('A label selector for the EndpointSlices. All requirements must match.'));

const endpointsSchema = z
  .object({
    service: z
      .string()
      .min(1)
      .max(63)
      .regex(
        /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
        'expected the name of a Service: lowercase letters, digits and hyphens',
      )
      .optional()
      .meta(described('A Service in the same namespace, whose EndpointSlices are used.')),
    selector: selectorSchema.optional(),
  })
  .meta(described('Where the backends come from. Exactly one of service and selector.'));

const relayedPortSchema = z.object({
  at: z.string().max(512),
  protocols: z.array(z.string().max(64)).max(16),
  labels: z.record(z.string(), z.string()),
  mode: z.enum(['host', 'container/bridge', 'container']),
  backendAddress: z.enum(['agent', 'container']),
  container: z.string().max(256).optional(),
});

const rejectionSchema = z.object({ at: z.string(), value: z.string(), reason: z.string() });

/** An app of Marathon or Mesos, as a relay writes it. The field names are those of `model/app.ts`. */
export const relayedSchema = z
  .object({
    id: z.string().min(1).max(1_024),
    kind: z.enum(['app', 'pod']),
    ports: z.array(relayedPortSchema),
    version: z.string().min(1).max(63).meta(described('Name of the list `ports`.')),
    versions: z
      .array(z.object({ name: z.string().min(1).max(63), ports: z.array(relayedPortSchema) }))
      .meta(described('Other lists of ports, of tasks of older versions and of the containers of pods.')),
    labelsPerTask: z
      .boolean()
      .optional()
      .meta(
        described('Whether each task has labels of its own, rather than all being copies of one definition.'),
      ),
    rejected: z.array(rejectionSchema).optional(),
    warnings: z.array(z.string()).optional(),
  })
  .meta(described('An app of another cluster, written by `marathon-ipvs relay`. Not meant to be edited.'));

/** `app` and `pod` are left out: the reader of Marathon JSON checks them, and says what is wrong where. */
const specFields = {
  framework: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta(described("Framework in the names of the app's VIPs. Defaults to marathon.")),
  endpoints: endpointsSchema,
  relayed: relayedSchema.optional(),
};

/** The schema that the source reads objects with. */
export const marathonAppSchema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    namespace: z.string().min(1),
    resourceVersion: z.string().min(1),
    generation: z.int().optional(),
    uid: z.string().optional(),
    labels: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z.object({ ...specFields, app: z.unknown().optional(), pod: z.unknown().optional() }),
  status: z.unknown().optional(),
});

const LABELS = `Labels of its ports declare VIPs (VIP_0: /my-service:5555) and set how they are balanced: ${OPTION_KEYS.join(', ')}.`;

/** The schema of the CRD, with which the API server rejects fields of a wrong type at once. */
export const specSchema = z.object({
  ...specFields,
  app: appFields
    .omit({ tasks: true })
    .extend({ id: idSchema })
    .optional()
    .meta(
      described(
        `The definition of a Marathon app, unchanged. Fields that are not listed here are preserved. ${LABELS}`,
      ),
    ),
  pod: podFields
    .extend({ id: idSchema })
    .optional()
    .meta(described(`The definition of a Marathon pod, unchanged. ${LABELS}`)),
});

const conditionSchema = z.object({
  type: z.string().min(1).max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.int().min(0).optional(),
  lastTransitionTime: z.iso.datetime(),
  reason: z.string().min(1).max(1_024),
  message: z.string().max(32_768),
});

export const statusSchema = z.object({
  observedGeneration: z.int().optional(),
  conditions: z.array(conditionSchema).optional(),
  vip: z.string().optional().meta(described('The first VIP, and the number of others.')),
  address: z.string().optional().meta(described('Its addresses.')),
  backends: z.string().optional().meta(described('Backends that get connections, of all backends.')),
  vips: z
    .array(
      z.object({
        name: z.string().meta(described('Fully qualified, or the address of an IP VIP.')),
        protocol: z.string(),
        port: z.int(),
        addresses: z.array(z.string()),
        backends: z.int(),
        inRotation: z.int(),
      }),
    )
    .optional(),
});

export type MarathonAppObject = z.infer<typeof marathonAppSchema>;
export type MarathonAppStatus = z.infer<typeof statusSchema>;
export type Condition = z.infer<typeof conditionSchema>;
export type Relayed = z.infer<typeof relayedSchema>;
export type LabelSelector = z.infer<typeof selectorSchema>;
