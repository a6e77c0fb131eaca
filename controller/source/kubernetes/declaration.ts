import type { MarathonApp, MarathonPodStatus } from '../../input/marathon-json.ts';
import { isRecord, rejectionOf, shown } from '../../input/rejection.ts';
import { checked } from '../../input/schema-messages.ts';
import type { LabelSelector } from '../../kubernetes/marathon-app.ts';
import {
  ID_EXPECTED,
  ID_PATTERN,
  type MarathonAppObject,
  marathonAppSchema,
  type Relayed,
} from '../../kubernetes/marathon-app.ts';
import type { App, Port, Rejection } from '../../model/app.ts';
import { isTaskLabelPort } from '../../settings/label-keys.ts';
import { type Documents, readDocuments } from '../document/documents.ts';
import { definePod } from '../document/pods.ts';
import { type DeclaredPort, type Definition, defineApp } from '../document/ports.ts';
import { shapeOf } from '../document/shapes.ts';

/** A declared port, and how it is found among the ports of an EndpointSlice. */
export interface NamedPort {
  readonly port: Port;
  readonly name: string | null;
  readonly containerPort: number | null;
  /** Its position among the app's ports. */
  readonly index: number;
}

/** What a MarathonApp declares. */
export interface Declaration {
  readonly id: string;
  readonly kind: App['kind'];
  readonly framework: string;
  readonly ports: readonly NamedPort[];
  /** Lists of task ports by name, in an object that a relay has written; null when all tasks have `ports`. */
  readonly versions: ReadonlyMap<string, readonly NamedPort[]> | null;
  readonly labelsPerTask?: App['labelsPerTask'];
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
  /** Selects its EndpointSlices, in its own namespace. */
  readonly selector: LabelSelector;
}

/** The label that Kubernetes puts on the EndpointSlices of a Service. */
export const SERVICE_LABEL = 'kubernetes.io/service-name';

/**
 * Reads a MarathonApp, or returns a `Rejection` when it is invalid. The rejection names the app by its id if that can
 * be read, so that the last good state can stay.
 */
export function readDeclaration(json: unknown, key: string): Declaration | Rejection {
  const { data: object, error } = checked(marathonAppSchema, json);
  if (error !== undefined) return rejectionOf(`MarathonApp ${key}`, json, error);
  const { endpoints, framework = 'marathon', app, pod, relayed } = object.spec;
  const problem = invalidSpec(key, object);
  if (problem !== null) return problem;

  const common = { framework, selector: selectorOf(endpoints) };
  if (relayed !== undefined) return { ...common, ...ofRelay(relayed) };

  const declared = app === undefined ? definedPod(pod, key) : defined(app, 'app', key);
  return 'ports' in declared ? { ...common, ...declared } : declared;
}

type Defined = Omit<Declaration, 'framework' | 'selector'>;

function definedPod(pod: unknown, key: string): Defined | Rejection {
  const shape = shapeOf(pod);
  if (shape === 'pod' || shape === 'pod status') return defined(pod, 'pod', key);
  // It would be read as an app.
  const reason = 'expected the definition of a pod, with a list of containers';
  return { app: `MarathonApp ${key}`, at: 'spec.pod', value: shown(pod), reason };
}

/** Reads the definition in `spec.app` or `spec.pod`. */
function defined(json: unknown, field: 'app' | 'pod', key: string): Defined | Rejection {
  const { definition, warnings } = withoutMembers(json, field === 'app' ? 'tasks' : 'instances');
  const documents = readDocuments(field === 'app' ? { app: definition } : definition, `MarathonApp ${key}`);
  const [asApp] = documents?.apps ?? [];
  const [asPod] = documents?.pods ?? [];
  const refused = refusedIn(documents);
  if (refused !== undefined) return refused;
  const { id } = asApp ?? asPod ?? {};
  // Marathon would refuse this id, and its other clients would not find it.
  if (id !== undefined && !ID_PATTERN.test(id))
    return { app: id, at: `spec.${field}.id`, value: id, reason: ID_EXPECTED };
  const declared = declaredBy(asApp, asPod);
  if (declared !== null) return { ...declared, warnings: [...declared.warnings, ...warnings] };
  const reason = `expected the definition of ${field === 'app' ? 'an app' : 'a pod'}`;
  return { app: `MarathonApp ${key}`, at: `spec.${field}`, value: '', reason };
}

/** The selector of an object's EndpointSlices. */
export function selectorOf({
  selector,
  service = '',
}: MarathonAppObject['spec']['endpoints']): LabelSelector {
  return selector ?? { matchLabels: { [SERVICE_LABEL]: service } };
}

/**
 * A definition copied from Marathon's answer lists tasks or instances. They have no place in an object, so an error in
 * them must not cost its VIPs.
 */
function withoutMembers(
  json: unknown,
  field: 'tasks' | 'instances',
): { readonly definition: unknown; readonly warnings: readonly string[] } {
  if (!isRecord(json)) return { definition: json, warnings: [] };
  const { [field]: members, ...definition } = json;
  const isEmpty = (members ?? null) === null || (Array.isArray(members) && members.length === 0);
  const why = `its ${field} are the endpoints that spec.endpoints selects`;
  return { definition, warnings: isEmpty ? [] : [`${field} is not used: ${why}`] };
}

/** The first error in the definition: an object with any error keeps its last valid declaration. */
function refusedIn(documents: Documents | null): Rejection | undefined {
  if (documents === null) return undefined;
  const { apps, pods, rejected } = documents;
  const unread = [...apps, ...pods].flatMap((each) => each.unread ?? []);
  const parts = unread.flatMap((each) => each.rejected);
  return [...unread.flatMap(({ definition }) => definition ?? []), ...rejected, ...parts][0];
}

/** Checks the CRD's validation rules, which API servers before 1.25 do not evaluate. */
function invalidSpec(key: string, { spec }: MarathonAppObject): Rejection | null {
  const refuse = (at: string, value: string, reason: string) => ({
    app: `MarathonApp ${key}`,
    at,
    value,
    reason,
  });
  const given = (['app', 'pod', 'relayed'] as const).filter((field) => spec[field] !== undefined);
  if (given.length !== 1)
    return refuse('spec', given.join(', '), 'expected exactly one of app, pod and relayed');
  const { service, selector } = spec.endpoints;
  if ((service === undefined) === (selector === undefined)) {
    return refuse('spec.endpoints', service ?? '', 'expected exactly one of service and selector');
  }
  const requirements =
    Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length;
  // An empty selector would match every EndpointSlice of the namespace.
  if (selector !== undefined && requirements === 0) {
    return refuse('spec.endpoints.selector', '{}', 'expected at least one label');
  }
  for (const [index, { operator, values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const takesValues = operator === 'In' || operator === 'NotIn';
    if (takesValues !== values.length > 0) {
      const at = `spec.endpoints.selector.matchExpressions[${index}].values`;
      return refuse(at, values.join(', '), 'In and NotIn need values, Exists and DoesNotExist take none');
    }
  }
  return null;
}

function declaredBy(app: MarathonApp | undefined, pod: MarathonPodStatus | undefined): Defined | null {
  if (app !== undefined) return ofDefinition({ id: app.id, kind: 'app' }, defineApp(app));
  return pod === undefined ? null : ofDefinition({ id: pod.id, kind: 'pod' }, definePod(pod.spec, pod));
}

function ofDefinition(
  app: Pick<Declaration, 'id' | 'kind'>,
  { ports, rejected, warnings }: Definition,
): Defined {
  return { ...app, ports: ports.map(named), versions: null, rejected, warnings };
}

function named({ port, name, containerPort, reach }: DeclaredPort, position: number): NamedPort {
  // The old form `vip_PORT1` is an index among the app's ports, not among the labels.
  const index = isTaskLabelPort(port.at) && reach.by === 'host port' ? Number(reach.index) : position;
  // A pod is reached at its own address, even if the definition requests a host port.
  return { port: { ...port, backendAddress: 'container' }, name, containerPort, index };
}

function ofRelay(relayed: Relayed): Defined {
  const { id, kind, ports, version, versions, labelsPerTask, rejected = [], warnings = [] } = relayed;
  const lists = [{ name: version, ports }, ...versions];
  return {
    id,
    kind,
    ports: relayedPorts(ports),
    versions: new Map(lists.map((list) => [list.name, relayedPorts(list.ports)])),
    ...(labelsPerTask && { labelsPerTask }),
    rejected: rejected.map((each) => ({ app: id, ...each })),
    warnings,
  };
}

function relayedPorts(ports: Relayed['ports']): readonly NamedPort[] {
  return ports.map(({ container, ...port }, index) => ({
    port: { ...port, ...(container !== undefined && { container }) },
    name: relayedPortName(index),
    containerPort: null,
    index,
  }));
}

/** A declaration whose tasks get no ports. */
export function withoutPorts(declaration: Declaration): Declaration {
  const { versions } = declaration;
  const names = versions === null ? null : [...versions.keys()];
  return { ...declaration, ports: [], versions: names && new Map(names.map((name) => [name, []])) };
}

/** The name that a relay gives the port at this index in its EndpointSlices. */
export function relayedPortName(index: number): string {
  return `p${index}`;
}
