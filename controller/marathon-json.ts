import { z } from 'zod';
import type { Meaning } from './label-keys.ts';
import { withMessage } from './schema-messages.ts';

/**
 * What this program reads of Marathon's JSON, and nothing else: unknown fields are dropped, fields that some
 * Marathon leaves out may be missing or null, and a wrong type in one that decides where traffic goes is an
 * error. Field lists: Marathon's RAML types app, taskState, podStatus, podInstanceStatus (1.11) and the
 * replies of 0.7 to 1.4.
 */

/** A label of ours somewhere in the JSON of an app or pod. */
export interface FoundLabel {
  /** What it stands in: `portDefinitions[0].labels`; empty at the top. */
  readonly parent: string;
  /** `VIP_0`, cut to a readable length; in a list of Docker's parameters its index. */
  readonly path: string;
  readonly key: string;
  readonly means: Meaning;
}

const text = z.string().nullish();
const portNumber = withMessage('a port number from 0 to 65535', 'number', (message) =>
  z.int(message).min(0, message).max(65_535, message),
);

/** Values are taken as they are: a label that is no text is its reader's to reject, by its own path. */
const labelsLike = (example: string) =>
  withMessage(`an object, ${example}`, 'object', (message) =>
    z.record(z.string(), z.unknown(), message),
  ).nullish();
const labels = labelsLike('{"VIP_0": "/my-service:5555"}');

const network = z.object({
  name: text,
  mode: z.enum(['host', 'container/bridge', 'container']).nullish(),
});

const portDefinition = z.object({ name: text, protocol: text, labels });

const portMapping = z.object({
  name: text,
  containerPort: portNumber.nullish(),
  hostPort: portNumber.nullish(),
  protocol: text,
  labels,
  networkNames: z.array(z.string()).nullish(),
});

const discoveryPort = z.object({ name: text, number: portNumber.nullish(), protocol: text, labels });

const task = z.object({
  id: z.string().min(1),
  host: text,
  region: text,
  zone: text,
  state: text,
  startedAt: text,
  version: text,
  ports: z.array(portNumber).nullish(),
  ipAddresses: z.array(z.object({ ipAddress: text }).nullable()).nullish(),
  /** Marathon 0.x lists a check without result as null. */
  healthCheckResults: z.array(z.object({ alive: z.boolean().nullish() }).nullable()).nullish(),
});

/** An app, as `/v2/apps` gives it or `POST /v2/apps` takes it; `tasks` where they were embedded. */
export const appSchema = z.object({
  id: z.string().min(1),
  networks: z.array(network).nullish(),
  portDefinitions: z.array(portDefinition).nullish(),
  ports: z.array(portNumber).nullish(),
  container: z
    .object({
      type: text,
      portMappings: z.array(portMapping).nullish(),
      docker: z
        .object({
          network: z.enum(['HOST', 'BRIDGE', 'USER', 'NONE']).nullish(),
          portMappings: z.array(portMapping).nullish(),
        })
        .nullish(),
    })
    .nullish(),
  ipAddress: z
    .object({
      networkName: text,
      discovery: z.object({ ports: z.array(discoveryPort).nullish() }).nullish(),
    })
    .nullish(),
  healthChecks: z.array(z.unknown()).nullish(),
  labels: labelsLike('{"KEY": "VALUE"}'),
  version: text,
  versionInfo: z.object({ lastConfigChangeAt: text }).nullish(),
  tasks: z.array(task).nullish(),
});

const podEndpoint = z.object({
  name: text,
  containerPort: portNumber.nullish(),
  hostPort: portNumber.nullish(),
  /** A list; some old definitions have the bare string. */
  protocol: z.union([z.string(), z.array(z.string())]).nullish(),
  labels,
  networkNames: z.array(z.string()).nullish(),
});

const podContainer = z.object({ name: z.string().min(1), endpoints: z.array(podEndpoint).nullish() });

/** A pod, as `POST /v2/pods` takes it, and the `spec` of its status. */
export const podSchema = z.object({
  id: z.string().min(1),
  version: text,
  networks: z.array(network).nullish(),
  containers: z.array(podContainer).nullish(),
});

const podContainerStatus = z.object({
  name: z.string().min(1),
  status: text,
  containerId: text,
  endpoints: z.array(z.object({ name: text, allocatedHostPort: portNumber.nullish() })).nullish(),
  conditions: z.array(z.object({ name: text, value: z.unknown().optional(), reason: text })).nullish(),
});

const podInstance = z.object({
  id: z.string().min(1),
  agentHostname: text,
  agentRegion: text,
  agentZone: text,
  specReference: text,
  networks: z.array(z.object({ name: text, addresses: z.array(z.string()).nullish() })).nullish(),
  containers: z.array(podContainerStatus).nullish(),
});

/** A pod with its instances, as `/v2/pods/::status` lists it. */
export const podStatusSchema = z.object({
  id: z.string().min(1),
  spec: podSchema.omit({ id: true }),
  instances: z.array(podInstance).nullish(),
});

/** `/v2/info`. A Marathon without `framework_name` (before 0.8) registered as `marathon`. */
export const infoSchema = z
  .object({ name: text, version: text, marathon_config: z.object({ framework_name: text }).nullish() })
  // An empty object, as a broken proxy may give it, must not rename every VIP.
  .refine(({ name, version, marathon_config }) => name || version || marathon_config);

/** The fields by which any event names what it is about; see `marathon/events.ts`. */
export const eventSchema = z.object({
  appId: text,
  runSpecId: text,
  uri: text,
  appDefinition: z.object({ id: text }).nullish(),
  plan: z.object({ steps: z.array(z.unknown()).nullish() }).nullish(),
  currentStep: z.unknown().optional(),
});

/** One step of a deployment plan. Before Marathon 1.0 it was the bare list of actions. */
export const deploymentStepSchema = z.union([
  z.object({ actions: z.array(z.object({ app: text, pod: text })).nullish() }),
  z.array(z.object({ app: text, pod: text })),
]);

/** What the schemas drop, and the author should hear of. */
interface WithLabels {
  /** Every label of ours in the JSON, wherever it stands; absent where there is none. */
  foundLabels?: readonly FoundLabel[];
}

export type MarathonApp = z.infer<typeof appSchema> & WithLabels;
export type MarathonTask = z.infer<typeof task>;
export type MarathonPortMapping = z.infer<typeof portMapping>;
export type MarathonPod = z.infer<typeof podSchema> & WithLabels;
export type MarathonPodStatus = z.infer<typeof podStatusSchema> & WithLabels;
export type MarathonPodInstance = z.infer<typeof podInstance>;
export type MarathonPodContainerStatus = z.infer<typeof podContainerStatus>;
