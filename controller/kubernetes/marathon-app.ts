import { z } from 'zod';
import { OPTION_KEYS } from '../label-keys.ts';
import { appFields, podFields } from '../marathon-json.ts';

/**
 * The custom resource `MarathonApp`: what its author writes (`spec`), and what the elected controller says of it
 * (`status`). The CRD's OpenAPI schema is made of these (`npm run crd`).
 */

const words = (description: string) => ({ description });

/**
 * Ids as Marathon takes them (`PathId`): names of lowercase letters, digits, hyphens and dots, with a slash between two.
 */
export const ID_PATTERN =
  /^\/?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(\/[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)*$/;

export const ID_EXPECTED =
  'expected an id as Marathon has them: names of lowercase letters, digits, hyphens and dots, with slashes between them';

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
  .meta(words('Labels of the EndpointSlices, as in any other selector of Kubernetes. All must fit.'));

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
      .meta(words('A Service of the same namespace: the EndpointSlices that Kubernetes keeps for it.')),
    selector: selectorSchema.optional(),
  })
  .meta(words('Where the backends are. Exactly one of the two.'));

const relayedPortSchema = z.object({
  at: z.string().max(512),
  protocols: z.array(z.string().max(64)).max(16),
  labels: z.record(z.string(), z.string()),
  mode: z.enum(['host', 'container/bridge', 'container']),
  backendAddress: z.enum(['agent', 'container']),
  container: z.string().max(256).optional(),
});

const rejectionSchema = z.object({ at: z.string(), value: z.string(), reason: z.string() });

/** What a relay found out about an app of Marathon or Mesos. The names of the fields are those of `model.ts`. */
export const relayedSchema = z
  .object({
    id: z.string().min(1).max(1_024),
    kind: z.enum(['app', 'pod']),
    ports: z.array(relayedPortSchema),
    version: z.string().min(1).max(63).meta(words('How the list `ports` is called.')),
    versions: z
      .array(z.object({ name: z.string().min(1).max(63), ports: z.array(relayedPortSchema) }))
      .meta(words('Other lists of ports, which tasks of older versions and containers of pods have.')),
    labelsPerTask: z
      .boolean()
      .optional()
      .meta(
        words("Whether tasks are no copies of one another, so that one's labels say nothing of another's."),
      ),
    rejected: z.array(rejectionSchema).optional(),
    warnings: z.array(z.string()).optional(),
  })
  .meta(words('An app of another cluster, written by `marathon-ipvs relay`. Not for people.'));

/** `app` and `pod` are checked one by one with the reader of all Marathon JSON, which tells what is wrong where. */
const specFields = {
  framework: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta(words("Framework in the names of the app's VIPs. Defaults to marathon.")),
  endpoints: endpointsSchema,
  relayed: relayedSchema.optional(),
};

/** What the source reads of an object. */
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

const LABELS = `Labels of its ports declare VIPs (VIP_0: /my-service:5555) and say how they are balanced: ${OPTION_KEYS.join(', ')}.`;

/** The same for the API server, which tells an author at once that a field is of a wrong type. */
export const specSchema = z.object({
  ...specFields,
  app: appFields
    .omit({ tasks: true })
    .extend({ id: idSchema })
    .optional()
    .meta(
      words(`The definition of a Marathon app, as it is. Its fields that are not listed are kept. ${LABELS}`),
    ),
  pod: podFields
    .extend({ id: idSchema })
    .optional()
    .meta(words(`The definition of a Marathon pod, as it is. ${LABELS}`)),
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
  vip: z.string().optional().meta(words('The first VIP, and how many others there are.')),
  address: z.string().optional().meta(words('Its addresses.')),
  backends: z.string().optional().meta(words('Backends that get connections, of all of its backends.')),
  vips: z
    .array(
      z.object({
        name: z.string().meta(words('Fully qualified, or the address of an IP VIP.')),
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
