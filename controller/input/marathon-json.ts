import { z } from 'zod';
import type { Rejection, TaskState } from '../model/app.ts';
import type { Meaning } from '../settings/label-keys.ts';
import { BOUNDS } from './bounds.ts';
import { isRecord } from './rejection.ts';
import { boundedText, expected, withMessage } from './schema-messages.ts';

/**
 * Schemas of the fields that this program reads of Marathon's JSON. Unknown fields are dropped, fields that some version of
 * Marathon leaves out may be missing or null, and a wrong type in a field that traffic depends on is an error. Sources of
 * the fields: Marathon's RAML types app, taskState, podStatus and podInstanceStatus (1.11), and replies of 0.7 to 1.4.
 */

/** A label that looks like a VIP or IPVS label, anywhere in the JSON of an app or pod. */
export interface FoundLabel {
  /** The path of its parent: `portDefinitions[0].labels`; empty at the top. */
  readonly parent: string;
  /** The rest of its path: `VIP_0`, cut to a readable length; an index in a list of Docker parameters. */
  readonly path: string;
  readonly key: string;
  readonly means: Meaning;
}

/** A task of an app, or an instance of a pod, with a value of a wrong type. */
export interface UnreadableTask {
  /** null when not even the id can be read. */
  readonly id: string | null;
  /** Its current state, which counts all the same; null when that cannot be read either. */
  readonly state: TaskState | null;
  readonly rejection: Rejection;
}

/** The values of a task that decide where its ports are reached and could not be read. The rest of the task was read. */
export interface UnreadPlaces {
  /** Its host ports: by index in the list of an app's task, by name of the endpoint of a pod's container. */
  readonly ports: 'all' | ReadonlySet<number | string>;
  /** Whether not all of its addresses could be read. */
  readonly addresses: boolean;
}

/** The parts of an app or pod that could not be read because something in them is wrong. The rest was read. */
export interface Unread {
  /** Why the definition could not be read; null when it could. */
  readonly definition: Rejection | null;
  readonly tasks: readonly UnreadableTask[];
  /** Whether the whole list of tasks or instances could not be read. */
  readonly taskList: boolean;
  /** Ports by their path (`portDefinitions[1]`). `declaration`: its protocols and labels are unknown; `port`: also where it is reached. */
  readonly ports: ReadonlyMap<string, 'declaration' | 'port'>;
  /** Values that decide where ports are reached, by the id of the task. */
  readonly places: ReadonlyMap<string, UnreadPlaces>;
  /** Ids of the tasks whose health results could not be read. */
  readonly health: ReadonlySet<string>;
  /** The problems, except those of `definition` and `tasks`. */
  readonly rejected: readonly Rejection[];
}

const id = z.string().min(1).max(BOUNDS.nameLength);
/** Text of a bounded length: it gets into messages, the status and the log. */
const bounded = boundedText();
const text = bounded.nullish();
const anyText = z.string().nullish();
const protocol = text;
const portNumber = withMessage('a port number from 0 to 65535', 'number', (message) =>
  z.int(message).min(0, message).max(65_535, message),
);

type Issues = z.core.ParsePayload['issues'];

/** Values may have any type: a label that is not text is rejected by its reader, with its own path. */
const labelsLike = (example: string) =>
  withMessage(`an object, ${example}`, 'object', (message) => z.record(z.string(), z.unknown(), message))
    .check(({ value, issues }) => checkLabels(value, issues))
    .nullish();

function checkLabels(input: Readonly<Record<string, unknown>>, issues: Issues): void {
  const entries = Object.entries(input);
  const refuse = (message: string, path: string[] = []) =>
    issues.push({ code: 'custom', message, path, input });
  if (entries.length > BOUNDS.labels)
    refuse(`expected at most ${BOUNDS.labels} labels, got ${entries.length}`);
  for (const [key, value] of entries) {
    if (key.length > BOUNDS.nameLength) refuse(`expected keys of at most ${BOUNDS.nameLength} characters`);
    if (typeof value === 'string' && value.length > BOUNDS.labelLength)
      refuse(`expected at most ${BOUNDS.labelLength} characters`, [key]);
  }
}

/** Checks the bounds of all ports of an app or pod together. */
function checkPorts(ports: readonly { readonly labels?: object | null | undefined }[], issues: Issues): void {
  const vips = ports.reduce(
    (sum, { labels }) => sum + Object.keys(labels ?? {}).filter((key) => /^vip/i.test(key)).length,
    0,
  );
  const refuse = (most: number, what: string, count: number) => {
    if (count > most)
      issues.push({ code: 'custom', message: `expected at most ${most} ${what}, got ${count}`, input: '' });
  };
  refuse(BOUNDS.ports, 'ports', ports.length);
  refuse(BOUNDS.vips, 'VIPs', vips);
}

const labels = labelsLike('{"VIP_0": "/my-service:5555"}');

const network = z.object({
  name: text,
  mode: z.enum(['host', 'container/bridge', 'container']).nullish(),
});

const portDefinition = z.object({ name: text, protocol, labels });

const portMapping = z.object({
  name: text,
  containerPort: portNumber.nullish(),
  hostPort: portNumber.nullish(),
  protocol,
  labels,
  networkNames: z.array(bounded).nullish(),
});

const discoveryPort = z.object({ name: text, number: portNumber.nullish(), protocol, labels });

const task = z.object({
  id,
  host: text,
  region: text,
  zone: text,
  /** Of any length: text that is no state counts as unreachable, and is shown cut. */
  state: anyText,
  startedAt: text,
  version: text,
  ports: z.array(portNumber).max(BOUNDS.ports).nullish(),
  ipAddresses: z
    .array(z.object({ ipAddress: text }).nullable())
    .max(BOUNDS.addresses)
    .nullish(),
  /** Marathon 0.x lists a check without a result as null. */
  healthCheckResults: z.array(z.object({ alive: z.boolean().nullish() }).nullable()).nullish(),
});

/** The fields of an app without checks across fields: a schema with such checks cannot be extended. */
export const appFields = z.object({
  id,
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
  /** Only their number matters. Checked by `refine`, since a type would become part of the CRD. */
  healthChecks: z
    .array(z.unknown().refine(isRecord, { error: ({ input }) => expected('an object', input) }))
    .nullish(),
  labels: labelsLike('{"KEY": "VALUE"}'),
  version: text,
  versionInfo: z.object({ lastConfigChangeAt: text }).nullish(),
  tasks: z.array(task).max(BOUNDS.tasks).nullish(),
});

/** An app as in the answer to `GET /v2/apps` or the body of `POST /v2/apps`; with `tasks` when they are embedded. */
export const appSchema = appFields
  // A wrong count is not worth an error.
  .extend({ tasksRunning: z.number().nullish().catch(null) })
  .check(({ value, issues }) => {
    const { portDefinitions, ports, container, ipAddress } = value;
    const mappings = [container?.portMappings, container?.docker?.portMappings, ipAddress?.discovery?.ports];
    const unnamed = (ports ?? []).map(() => ({}));
    checkPorts(
      [portDefinitions ?? unnamed, ...mappings].flatMap((list) => list ?? []),
      issues,
    );
  });

const podEndpoint = z.object({
  name: text,
  containerPort: portNumber.nullish(),
  hostPort: portNumber.nullish(),
  /** A list; some old definitions have a string. */
  protocol: z.union([bounded, z.array(bounded)]).nullish(),
  labels,
  networkNames: z.array(bounded).nullish(),
});

const podContainer = z.object({ name: bounded.min(1), endpoints: z.array(podEndpoint).nullish() });

/** The fields of a pod's definition that are used. */
export const podFields = z.object({
  id,
  version: text,
  networks: z.array(network).nullish(),
  containers: z.array(podContainer).nullish(),
});

function checkEndpoints({ value, issues }: z.core.ParsePayload<Omit<z.infer<typeof podFields>, 'id'>>): void {
  checkPorts(
    (value.containers ?? []).flatMap(({ endpoints }) => endpoints ?? []),
    issues,
  );
}

/** A pod as in the body of `POST /v2/pods`, and the `spec` of its status. */
export const podSchema = podFields.check(checkEndpoints);

const podContainerStatus = z.object({
  name: bounded.min(1),
  status: text,
  containerId: text,
  endpoints: z.array(z.object({ name: text, allocatedHostPort: portNumber.nullish() })).nullish(),
  conditions: z
    .array(
      z.object({ name: text, value: z.union([z.boolean(), z.string()]).nullish(), reason: text }).nullable(),
    )
    .nullish(),
});

const podInstance = z.object({
  id,
  agentHostname: text,
  agentRegion: text,
  agentZone: text,
  specReference: text,
  networks: z
    .array(z.object({ name: text, addresses: z.array(bounded).max(BOUNDS.addresses).nullish() }))
    .nullish(),
  containers: z.array(podContainerStatus).nullish(),
});

/** A pod with its instances, as in `/v2/pods/::status`. */
export const podStatusSchema = z.object({
  id,
  spec: podFields.omit({ id: true }).check(checkEndpoints),
  instances: z.array(podInstance).max(BOUNDS.tasks).nullish(),
});

/** `/v2/info`. A Marathon without `framework_name` (before 0.8) registered as `marathon`. */
export const infoSchema = z
  .object({ name: text, version: text, marathon_config: z.object({ framework_name: text }).nullish() })
  // An empty object, as from a broken proxy, must not rename every VIP.
  .refine(({ name, version, marathon_config }) => name || version || marathon_config);

/** The fields that name the subject of an event; see `marathon/events.ts`. */
export const eventSchema = z.object({
  appId: anyText,
  runSpecId: anyText,
  uri: anyText,
  taskId: anyText,
  taskStatus: anyText,
  appDefinition: z.object({ id: anyText }).nullish(),
  plan: z.object({ steps: z.array(z.unknown()).nullish() }).nullish(),
  currentStep: z.unknown().optional(),
});

/** One step of a deployment plan. Before Marathon 1.0 it was only the list of actions. */
export const deploymentStepSchema = z.union([
  z.object({ actions: z.array(z.object({ app: text, pod: text })).nullish() }),
  z.array(z.object({ app: text, pod: text })),
]);

/** Findings besides the schemas, for the author of the app. */
interface Findings {
  /** Every label in the JSON that looks like a VIP or IPVS label; absent when there is none. */
  foundLabels?: readonly FoundLabel[];
  /** States of tasks that are none of Mesos or are written in another way, and repeated keys; absent when there are none. */
  oddities?: readonly Rejection[];
  /** Absent when nothing is wrong. */
  unread?: Unread;
}

/** An app, and what of it could not be read. */
export type MarathonApp = z.infer<typeof appSchema> & Findings;
export type MarathonTask = z.infer<typeof task>;
export type MarathonPortMapping = z.infer<typeof portMapping>;
/** A pod, and what of it could not be read. */
export type MarathonPod = z.infer<typeof podSchema> & Findings;
/** The status of a pod, with its instances, and what of it could not be read. */
export type MarathonPodStatus = z.infer<typeof podStatusSchema> & Findings;
export type MarathonPodInstance = z.infer<typeof podInstance>;
export type MarathonPodContainerStatus = z.infer<typeof podContainerStatus>;
