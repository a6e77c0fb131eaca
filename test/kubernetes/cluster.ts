/**
 * The cluster that the tests of this folder run in: the one of KUBECONFIG with `npm run test:kubernetes`, else the
 * stand-in. Nothing in them depends on which. They work in a namespace of their own, which is removed at the end; the
 * CRD stays in a real cluster.
 */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { parse } from 'yaml';
import { openAccess } from '../../controller/kubernetes/access.ts';
import { createKubernetesClient, type KubernetesClient } from '../../controller/kubernetes/client.ts';
import {
  apiVersion,
  collectionPath,
  ENDPOINT_SLICES,
  EVENTS,
  MARATHON_APPS,
  objectPath,
  type Resource,
} from '../../controller/kubernetes/resources.ts';
import { ReferenceBook } from '../../controller/source/kubernetes/references.ts';
import { kubernetesSource } from '../../controller/source/kubernetes/source.ts';
import { systemClock } from '../../controller/time.ts';
import { startKubernetes, type TestKubernetes } from '../support/kubernetes/start-kubernetes.ts';
import { eventually } from '../support/waiting.ts';

const REAL = process.env['MARATHON_IPVS_TEST_CLUSTER'] === 'kubeconfig';
const CRD = new URL('../../deploy/kubernetes/base/crd.yaml', import.meta.url);
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Never aborts. */
export const never = new AbortController().signal;

export let client: KubernetesClient;
/** Of each test file. */
export let namespace: string;
let standIn: TestKubernetes | null = null;
let stop: AbortController;
let following: Promise<unknown>[] = [];

/** Gives the tests of the file that calls this a cluster with the CRD, and a namespace. */
export function useCluster(): void {
  const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-kubernetes-'));
  beforeAll(async () => {
    if (!REAL) {
      standIn = await startKubernetes({ initialisingMs: 300 });
      process.env['KUBECONFIG'] = join(directory, 'config');
      standIn.writeKubeconfig(process.env['KUBECONFIG']);
    }
    client = createKubernetesClient({ access: await openAccess(null), clock: systemClock });
    namespace = `marathon-ipvs-test-${randomUUID().slice(0, 8)}`;
    const metadata = { name: namespace };
    await client.call(
      'POST',
      '/api/v1/namespaces',
      { body: { apiVersion: 'v1', kind: 'Namespace', metadata } },
      never,
    );
    const crd = parse(readFileSync(CRD, 'utf8'));
    await applyAt(`${CRDS}/${crd.metadata.name}`, crd);
    await persist(() => client.call('GET', collectionPath(MARATHON_APPS, namespace), {}, never));
  }, 60_000);
  afterAll(async () => {
    await client.call('DELETE', `/api/v1/namespaces/${namespace}`, {}, never);
    await standIn?.close();
    rmSync(directory, { recursive: true });
  }, 60_000);
  afterEach(async () => {
    stop?.abort();
    await Promise.all(following);
    following = [];
    for (const resource of [MARATHON_APPS, ENDPOINT_SLICES, EVENTS]) {
      await persist(() => client.call('DELETE', collectionPath(resource, namespace), {}, never));
    }
  }, 60_000);
}

/** What a source that follows the namespace until the test ends finds of what its objects refer to. */
export function referencesFollowed(): ReferenceBook {
  const references = new ReferenceBook();
  const source = kubernetesSource(client, { context: '', namespace, references });
  const listener = { changed: () => undefined, failed: () => undefined };
  inBackground((signal) => source.follow(listener, signal));
  return references;
}

/** Runs something until the test ends. */
export function inBackground(work: (signal: AbortSignal) => Promise<unknown>): void {
  if (following.length === 0) stop = new AbortController();
  following.push(work(stop.signal));
}

/** A kind that was made just now answers 404 and 429 for a second or two. */
async function persist<T>(call: () => Promise<T>): Promise<T> {
  for (let left = 50; ; left -= 1) {
    try {
      return await call();
    } catch (error) {
      const { status } = error as { status?: number };
      if (left === 0 || (status !== 429 && status !== 404 && status !== 503)) throw error;
      await systemClock.sleep(200);
    }
  }
}

async function applyAt(path: string, body: unknown, fieldManager = 'test') {
  const query = { fieldManager, force: true };
  const options = { query, body, contentType: 'application/apply-patch+yaml' };
  return await persist(() => client.call('PATCH', path, options, never));
}

/** Creates or changes an object by server-side apply, as `kubectl apply --server-side` does. */
export async function apply(resource: Resource, name: string, fields: object): Promise<void> {
  const body = { apiVersion: apiVersion(resource), kind: resource.kind, ...fields };
  const metadata = {
    name,
    namespace,
    ...('metadata' in fields && typeof fields.metadata === 'object' ? fields.metadata : {}),
  };
  await applyAt(objectPath(resource, { namespace, name }), { ...body, metadata });
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the server says is there
type Anything = any;

export async function get(resource: Resource, name: string): Promise<Anything> {
  return await client.call('GET', objectPath(resource, { namespace, name }), {}, never);
}

export async function list(resource: Resource): Promise<Anything[]> {
  const found = (await client.call('GET', collectionPath(resource, namespace), {}, never)) as Anything;
  return found.items ?? [];
}

export const listEvents = () => list(EVENTS);

/** Resolves when `holds` does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  await eventually(holds, what, 20);
}

export async function remove(resource: Resource, name: string): Promise<void> {
  await client.call('DELETE', objectPath(resource, { namespace, name }), {}, never);
}

/** A MarathonApp whose endpoints are those of the Service of its name. */
export function marathonApp(name: string, app: object, spec: object = {}): Promise<void> {
  return apply(MARATHON_APPS, name, { spec: { app, endpoints: { service: name }, ...spec } });
}

export interface EndpointSpec {
  readonly address: string;
  readonly target?: string;
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}

/** An EndpointSlice as Kubernetes keeps one for a Service. */
export function slice(
  name: string,
  service: string,
  ports: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[],
  endpoints: readonly EndpointSpec[],
): Promise<void> {
  const family = endpoints[0]?.address.includes(':') ? 'IPv6' : 'IPv4';
  return apply(ENDPOINT_SLICES, name, {
    metadata: { labels: { 'kubernetes.io/service-name': service } },
    addressType: family,
    ports: ports.map(({ name: portName = '', port, protocol = 'TCP' }) => ({
      name: portName,
      port,
      protocol,
    })),
    endpoints: endpoints.map(({ address, target, ready = true, serving = ready, terminating = false }) => ({
      addresses: [address],
      conditions: { ready, serving, terminating },
      ...(target !== undefined && { targetRef: { kind: 'Pod', namespace, name: target } }),
    })),
  });
}
