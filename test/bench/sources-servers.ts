/** The clusters that sources-bench reads: 10,000 tasks behind 1,000 VIPs, as Mesos and as Kubernetes tell of them. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { startKubernetes } from '../support/kubernetes/start-kubernetes.ts';
import type { KubeObject } from '../support/kubernetes/types.ts';
import { startMesos } from '../support/mesos/start-mesos.ts';

export const VIPS = 1_000;
export const BACKENDS = 10;

const AGENTS = 200;
const FRAMEWORK = '9a1b2c3d-0000-0000-0000-000000000000-0000';
const CRD = new URL('../../deploy/kubernetes/base/crd.yaml', import.meta.url);
/** With them a task takes 3 kB, as in large clusters. */
const LABELS = Object.fromEntries(
  Array.from({ length: 30 }, (_, index) => [
    `LABEL_${index}`,
    `some text of usual length that a label has ${index}`,
  ]),
);

/** Resolves with the URL of a Mesos master. */
export async function serveMesos(): Promise<string> {
  const { cluster, urls } = await startMesos();
  cluster.addFramework(FRAMEWORK, 'marathon');
  for (let agent = 0; agent < AGENTS; agent += 1) cluster.addAgent(`S${agent}`, addressOf(agent));
  for (let index = 0; index < VIPS * BACKENDS; index += 1) {
    const app = index % VIPS;
    const agent = index % AGENTS;
    cluster.addTask({
      id: `group-${app % 50}_service-${app}.${uuid(index)}`,
      name: `service-${app}.group-${app % 50}`,
      framework: FRAMEWORK,
      agent: `S${agent}`,
      addresses: [addressOf(agent)],
      ports: [{ number: 20_000 + Math.floor(index / AGENTS), labels: { VIP_0: `/service-${app}:80` } }],
      healthy: true,
      labels: LABELS,
    });
  }
  return urls[0] ?? '';
}

/** Writes a kubeconfig file for an API server with MarathonApps; resolves with its URL. */
export async function serveKubernetes(kubeconfig: string): Promise<string> {
  const { operations, writeKubeconfig, url } = await startKubernetes();
  const write = (group: string, plural: string, object: object) => {
    const body = object as KubeObject;
    const kind = operations.findKind(group, body.apiVersion.split('/').at(-1) ?? '', plural);
    if (kind === null) throw new Error(`no ${plural} of ${group}`);
    const namespace = kind.namespaced ? 'default' : null;
    operations.create(kind, namespace, body, { manager: 'bench', subresource: undefined, force: true });
  };
  write('apiextensions.k8s.io', 'customresourcedefinitions', parse(readFileSync(CRD, 'utf8')));
  for (let app = 0; app < VIPS; app += 1) {
    write('marathon-ipvs.io', 'marathonapps', marathonAppObject(app));
    write('discovery.k8s.io', 'endpointslices', slice(app));
  }
  writeKubeconfig(kubeconfig);
  return url;
}

function marathonAppObject(app: number): object {
  const portMappings = [{ containerPort: 8080, labels: { VIP_0: `/service-${app}:80` } }];
  return {
    apiVersion: 'marathon-ipvs.io/v1alpha1',
    kind: 'MarathonApp',
    metadata: { name: `service-${app}` },
    spec: {
      app: {
        id: `/group-${app % 50}/service-${app}`,
        networks: [{ mode: 'container' }],
        container: { portMappings },
      },
      endpoints: { service: `service-${app}` },
    },
  };
}

function slice(app: number): object {
  const service = `service-${app}`;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${service}-1`, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: Array.from({ length: BACKENDS }, (_, backend) => ({
      addresses: [addressOf(app * BACKENDS + backend)],
      conditions: { ready: true },
    })),
  };
}

function addressOf(index: number): string {
  return `10.0.${(index >> 8) & 255}.${index & 255}`;
}

function uuid(index: number): string {
  return `0ef76549-2630-11e8-af52-${index.toString(16).padStart(12, '0')}`;
}
