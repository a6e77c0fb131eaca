import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll } from '@jest/globals';
import { parse } from 'yaml';
import { openAccess } from '../../../../controller/kubernetes/access.ts';
import { createKubernetesClient, type KubernetesClient } from '../../../../controller/kubernetes/client.ts';
import {
  type KubernetesSourceOptions,
  kubernetesSource,
} from '../../../../controller/source/kubernetes/source.ts';
import {
  type KubernetesOptions,
  startKubernetes,
  type TestKubernetes,
} from '../../../support/kubernetes/start-kubernetes.ts';
import type { KubeObject } from '../../../support/kubernetes/types.ts';
import { fastClock, TestListener, until } from '../support.ts';

const CRD = new URL('../../../../deploy/kubernetes/base/crd.yaml', import.meta.url);
const WRITER = { manager: 'test', subresource: undefined, force: true };

/** Ten seconds of the program pass in one. */
export const clock = fastClock(10);
/** Never aborts. */
export const never = new AbortController().signal;

// Thirteen hundred files: seconds, where each test file loads its own, and no part of what the first test waits for.
beforeAll(() => import('@kubernetes/client-node').then(() => undefined));

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A stand-in with the CRD; it ends with the test. */
export async function startServer(options: KubernetesOptions = {}): Promise<TestKubernetes> {
  const server = await startKubernetes(options);
  ends.push(() => server.close());
  write(server, 'apiextensions.k8s.io', 'customresourcedefinitions', parse(readFileSync(CRD, 'utf8')));
  return server;
}

/** Points KUBECONFIG at a server until the test ends. */
export function useKubeconfig(server: TestKubernetes, token?: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-kubeconfig-'));
  process.env['KUBECONFIG'] = join(directory, 'config');
  server.writeKubeconfig(process.env['KUBECONFIG'], token);
  ends.push(async () => rmSync(directory, { recursive: true }));
}

/** A client by way of a kubeconfig file. */
export async function clientOf(
  server: TestKubernetes,
  token?: string,
  silenceMs = 5_000,
): Promise<KubernetesClient> {
  const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-kubeconfig-'));
  try {
    process.env['KUBECONFIG'] = join(directory, 'config');
    server.writeKubeconfig(process.env['KUBECONFIG'], token);
    return createKubernetesClient({ access: await openAccess('test'), clock, silenceMs });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Follows from the first read on. */
export async function follow(
  client: KubernetesClient,
  options: Partial<KubernetesSourceOptions> = {},
): Promise<TestListener> {
  const listener = startFollowing(client, options);
  await until('the first read', () => listener.snapshots.length > 0);
  return listener;
}

export function startFollowing(
  client: KubernetesClient,
  options: Partial<KubernetesSourceOptions> = {},
): TestListener {
  const listener = new TestListener();
  const source = kubernetesSource(client, { context: '', clock, gatherMs: 0, ...options });
  inBackground((signal) => source.follow(listener, signal));
  return listener;
}

/** Runs something until the test ends. */
export function inBackground(work: (signal: AbortSignal) => Promise<unknown>): void {
  const stop = new AbortController();
  const working = work(stop.signal);
  ends.push(() => {
    stop.abort();
    return working;
  });
}

/** Writes an object as another client would, by server-side apply. */
export function write(server: TestKubernetes, group: string, plural: string, object: object): KubeObject {
  const body = object as KubeObject;
  const version = body.apiVersion.split('/').at(-1) ?? '';
  const kind = server.operations.findKind(group, version, plural);
  if (kind === null) throw new Error(`no ${plural} of ${group}`);
  const namespace = kind.namespaced ? 'default' : null;
  return server.operations.apply({ kind, namespace, name: body.metadata.name }, body, WRITER).object;
}

export function writeApp(server: TestKubernetes, name: string, vip = `/${name}:80`): void {
  const portMappings = [{ containerPort: 8080, labels: { VIP_0: vip } }];
  const app = { id: `/${name}`, networks: [{ mode: 'container' }], container: { portMappings } };
  write(server, 'marathon-ipvs.io', 'marathonapps', {
    apiVersion: 'marathon-ipvs.io/v1alpha1',
    kind: 'MarathonApp',
    metadata: { name },
    spec: { app, endpoints: { service: name } },
  });
}

export function writeSlice(server: TestKubernetes, service: string, ...addresses: readonly string[]): void {
  write(server, 'discovery.k8s.io', 'endpointslices', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${service}-1`, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  });
}

export function removeObject(server: TestKubernetes, group: string, plural: string, name: string): void {
  const kind = server.operations.kinds.find((one) => one.group === group && one.plural === plural);
  if (kind === undefined) throw new Error(`no ${plural} of ${group}`);
  server.operations.delete({ kind, namespace: 'default', name }, null);
}

export const removeApp = (server: TestKubernetes, name: string) =>
  removeObject(server, 'marathon-ipvs.io', 'marathonapps', name);

/** Where an app's tasks are, as the last snapshot has it. */
export function addressesOf(listener: TestListener, id: string): string {
  const tasks = listener.app(id)?.tasks ?? [];
  return tasks
    .flatMap(({ ports }) => ports.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)))
    .join();
}

/** Requests for a kind, in order: `list`, `watch`. */
export function asked(server: TestKubernetes, plural: string): string[] {
  return server.requests
    .filter(({ method, path }) => method === 'GET' && path.endsWith(`/${plural}`))
    .map(({ query }) => (query.includes('watch=true') ? 'watch' : 'list'));
}
