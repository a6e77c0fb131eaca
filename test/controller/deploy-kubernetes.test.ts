import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { parseCommandLine } from '../../controller/cli/command-line.ts';
import { parseSource } from '../../controller/config/values.ts';
import { firstDelta } from '../../controller/inventory/inventory.ts';
import { createRelayHealth } from '../../controller/relay/health.ts';
import { runRelay } from '../../controller/relay/relay.ts';
import { ReferenceBook } from '../../controller/source/kubernetes/references.ts';
import { kubernetesSource } from '../../controller/source/kubernetes/source.ts';
import { StatusWriter } from '../../controller/status/kubernetes/writer.ts';
import { nothingRemembered, snapshot, web } from '../support/builders.ts';
import type { PolicyRule } from '../support/kubernetes/access.ts';
import { builtinErrors } from '../support/kubernetes/builtin-types.ts';
import { customKinds } from '../support/kubernetes/kinds.ts';
import type { KubeObject } from '../support/kubernetes/types.ts';
import { typeLine } from './cli/commands/apps/commanding.ts';
import { translator } from './desired/support.ts';
import {
  clientOf,
  clock,
  inBackground,
  never,
  startServer,
  useKubeconfig,
  writeApp,
} from './source/kubernetes/setup.ts';
import { silent, until } from './source/support.ts';
import { passOf } from './status/passes.ts';

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const OVERLAYS = ['marathon', 'mesos', 'kubernetes-only'];
const copy = mkdtempSync(join(tmpdir(), 'marathon-ipvs-deploy-'));
afterAll(() => rmSync(copy, { recursive: true }));

// biome-ignore lint/suspicious/noExplicitAny: manifests are looked into wherever it matters
type Manifest = any;

const version = /v?1\.(\d+)\./.exec(kubectl('version', '--client'))?.[1];

function kubectl(...argv: string[]): string {
  try {
    return execFileSync('kubectl', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return '';
    throw error;
  }
}

/** What `kubectl kustomize` makes of an overlay; with `namespace`, of one of somebody's own on top of it. */
function rendered(overlay: string, namespace?: string): Manifest[] {
  cpSync(join(DEPLOY, 'kubernetes'), copy, { recursive: true });
  if (namespace !== undefined) {
    mkdirSync(join(copy, 'overlays', namespace), { recursive: true });
    const lines = [
      'apiVersion: kustomize.config.k8s.io/v1beta1',
      'kind: Kustomization',
      `namespace: ${namespace}`,
      'resources:',
      `  - ../${overlay}`,
    ];
    writeFileSync(join(copy, 'overlays', namespace, 'kustomization.yaml'), `${lines.join('\n')}\n`);
    rendered(overlay);
  }
  const directory = join(copy, 'overlays', namespace ?? overlay);
  if (Number(version) < 21) {
    // Debian 12 has 1.20, whose kustomize 2.0 knows directories as `bases` only.
    const file = join(directory, 'kustomization.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^resources:$/m, 'bases:'));
  }
  return documents(kubectl('kustomize', directory));
}

function documents(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS());
}

/** The classes of client-node for the kinds that are in deploy/. */
const TYPES: Readonly<Record<string, string>> = {
  Namespace: 'V1Namespace',
  ServiceAccount: 'V1ServiceAccount',
  ConfigMap: 'V1ConfigMap',
  DaemonSet: 'V1DaemonSet',
  Deployment: 'V1Deployment',
  PriorityClass: 'V1PriorityClass',
  PodDisruptionBudget: 'V1PodDisruptionBudget',
  ClusterRole: 'V1ClusterRole',
  ClusterRoleBinding: 'V1ClusterRoleBinding',
  Role: 'V1Role',
  RoleBinding: 'V1RoleBinding',
  CustomResourceDefinition: 'V1CustomResourceDefinition',
};

const find = (all: readonly Manifest[], kind: string, name?: string): Manifest =>
  all.find((one) => one.kind === kind && (name === undefined || one.metadata.name === name));

if (version === undefined)
  test.skip('kubectl is not on this machine: kustomizations are not rendered', () => undefined);

describe.each(version === undefined ? [] : OVERLAYS)('the overlay %s', (overlay) => {
  const all = version === undefined ? [] : rendered(overlay);

  test('is made of objects as Kubernetes has them: no unknown field, none missing, none of another type', () => {
    expect(all.length).toBeGreaterThan(8);
    for (const object of all) {
      const type = TYPES[object.kind];
      expect({ kind: object.kind, type }).toMatchObject({ type: expect.any(String) });
      expect({ kind: object.kind, errors: builtinErrors(type ?? '', object) }).toMatchObject({ errors: [] });
    }
  });

  test('every name that it uses is one that it makes', () => {
    for (const kind of ['DaemonSet', 'Deployment']) {
      const workload = find(all, kind);
      if (workload === undefined) continue;
      const { serviceAccountName, priorityClassName, containers } = workload.spec.template.spec;
      expect(find(all, 'ServiceAccount', serviceAccountName)).toBeDefined();
      if (priorityClassName) expect(find(all, 'PriorityClass', priorityClassName)).toBeDefined();
      for (const { envFrom } of containers)
        expect(find(all, 'ConfigMap', envFrom[0].configMapRef.name)).toBeDefined();
      expect(workload.spec.template.metadata.labels).toMatchObject(workload.spec.selector.matchLabels);
    }
    for (const binding of all.filter(({ kind }) => kind.endsWith('RoleBinding'))) {
      expect(find(all, binding.roleRef.kind, binding.roleRef.name)).toBeDefined();
      for (const { kind, name } of binding.subjects) expect(find(all, kind, name)).toBeDefined();
    }
  });

  test('starts commands that there are, with options that there are', () => {
    for (const kind of ['DaemonSet', 'Deployment']) {
      const [container] = find(all, kind)?.spec.template.spec.containers ?? [];
      if (container === undefined) continue;
      const { data } = find(all, 'ConfigMap', container.envFrom[0].configMapRef.name);
      const environment = { ...data };
      for (const { name, value } of container.env) environment[name] = value;
      if (parseSource(environment['MARATHON_IPVS_SOURCE']) === undefined) {
        // Until there is a Mesos source; its place is known.
        expect(environment['MARATHON_IPVS_SOURCE']).toMatch(/^mesos=/);
        continue;
      }
      expect(parseCommandLine(container.args, environment)).toMatchObject({ command: container.args[0] });
    }
  });

  test("in a namespace of somebody's own gives its rights to the accounts of that namespace", () => {
    const own = rendered(overlay, 'somebodys');
    const bindings = own.filter(({ kind }) => kind.endsWith('RoleBinding'));
    expect(bindings.length).toBeGreaterThan(1);
    for (const { metadata, subjects } of bindings) {
      expect({ name: metadata.name, subjects }).toMatchObject({ subjects: [{ namespace: 'somebodys' }] });
      const [{ kind, name, namespace }] = subjects;
      expect(find(own, kind, name)?.metadata.namespace).toBe(namespace);
    }
  });

  test('gives the agent two capabilities, and only the init container may do more', () => {
    const { spec } = find(all, 'DaemonSet').spec.template;
    const [agent] = spec.containers;
    expect(agent.securityContext).toMatchObject({
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_BIND_SERVICE'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(agent.securityContext.privileged).toBeUndefined();
    expect(agent.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
      '/run/marathon-ipvs',
      '/var/lib/marathon-ipvs',
    ]);
    expect(spec.initContainers.map(({ securityContext }: Manifest) => securityContext.privileged)).toEqual([
      true,
    ]);
    expect(spec).toMatchObject({ hostNetwork: true, tolerations: [{ operator: 'Exists' }] });
    expect(find(all, 'DaemonSet').spec.updateStrategy.rollingUpdate).toEqual({ maxUnavailable: 1 });
  });
});

(version === undefined ? test.skip : test)(
  'the relay runs where pod security is `restricted`, and two need not go at once',
  () => {
    const all = rendered('marathon');
    const relay = find(all, 'Deployment');
    const { spec } = relay.spec.template;
    expect([spec.hostNetwork, spec.hostPID, spec.volumes]).toEqual([undefined, undefined, undefined]);
    for (const { securityContext } of spec.containers) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(securityContext.capabilities).toEqual({ drop: ['ALL'] });
    }
    expect(spec.containers[0].startupProbe).toMatchObject({ httpGet: { path: '/livez' } });
    expect(spec.priorityClassName).toBe(find(all, 'PriorityClass').metadata.name);
    const budget = find(all, 'PodDisruptionBudget').spec;
    expect(relay.spec.template.metadata.labels).toMatchObject(budget.selector.matchLabels);
    expect(budget.maxUnavailable).toBe(1);
  },
);

test('the samples are what they are for', () => {
  const read = (name: string) => documents(readFileSync(join(DEPLOY, 'kubernetes/samples', name), 'utf8'));
  expect(readdirSync(join(DEPLOY, 'kubernetes/samples')).sort()).toEqual([
    'coredns-stub.yaml',
    'marathon-app.yaml',
    'pod-monitor.yaml',
    'roles.yaml',
  ]);
  expect(builtinErrors('V1ConfigMap', read('coredns-stub.yaml')[0])).toEqual([]);
  const [agents, relays] = read('pod-monitor.yaml');
  const template = (file: string, kind: string) =>
    find(documents(readFileSync(join(DEPLOY, 'kubernetes', file), 'utf8')), kind).spec.template;
  const agent = template('base/daemonset.yaml', 'DaemonSet');
  expect(agent.metadata.labels).toMatchObject(agents.spec.selector.matchLabels);
  const relay = template('relay/deployment.yaml', 'Deployment');
  expect(relay.metadata.labels).toMatchObject(relays.spec.selector.matchLabels);
  const [{ port }] = relays.spec.podMetricsEndpoints;
  expect(relay.spec.containers[0].ports.map(({ name }: { name: string }) => name)).toContain(port);
  const crd = parse(readFileSync(join(DEPLOY, 'kubernetes/base/crd.yaml'), 'utf8'));
  const [kind] = customKinds(crd, 0);
  const [app] = read('marathon-app.yaml');
  const before = structuredClone(app);
  kind?.admit(app as KubeObject, null);
  expect(app).toEqual(before);
});

describe('RBAC', () => {
  const rules = (file: string): PolicyRule[] =>
    documents(readFileSync(join(DEPLOY, 'kubernetes', file), 'utf8')).flatMap((object) => object.rules ?? []);
  const web1 = snapshot(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1'));

  test('is enough for agents and relay, and lets agents write no app', async () => {
    const tokens = new Map([
      ['agent', rules('base/rbac.yaml')],
      ['relay', rules('relay/rbac.yaml')],
    ]);
    const server = await startServer({ tokens });
    const source = {
      name: 'file=test',
      read: async () => web1,
      follow: async (
        listener: Parameters<ReturnType<typeof kubernetesSource>['follow']>[0],
        signal: AbortSignal,
      ) => {
        listener.changed(firstDelta(web1));
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    };
    const common = { clock, log: silent, namespace: 'default', identity: 'me', random: Math.random };
    const { observer } = createRelayHealth([], clock, 1_000);
    const relay = await clientOf(server, 'relay');
    inBackground((signal) =>
      runRelay(
        // Any name: the Lease of each has another one.
        { ...common, client: relay, sources: [source], observer, name: 'second', settleMs: 1 },
        signal,
      ),
    );
    const agent = await clientOf(server, 'agent');
    const reader = kubernetesSource(agent, { context: '', clock });
    await until(
      'it is published',
      () => server.operations.storage.all('discovery.k8s.io/endpointslices').length === 1,
    );

    const writer = new StatusWriter({
      ...common,
      client: agent,
      namespace: null,
      references: new ReferenceBook(),
    });
    inBackground((signal) => writer.run(signal));
    writer.passed(passOf({ desired: translator()(await reader.read(never), nothingRemembered) }));
    await until('the status is written', () =>
      server.operations.storage.all('marathon-ipvs.io/marathonapps').some((object) => 'status' in object),
    );
    expect(server.requests.filter(({ status }) => status === 403)).toEqual([]);

    const path = '/apis/marathon-ipvs.io/v1alpha1/namespaces/default/marathonapps';
    await expect(agent.call('DELETE', path, {}, never)).rejects.toThrow(/403/);
    await expect(relay.call('GET', '/api/v1/namespaces/default/services', {}, never)).rejects.toThrow(/403/);
  });

  test('the roles for people are enough for their commands, and who may only view changes nothing', async () => {
    const roles = documents(readFileSync(join(DEPLOY, 'kubernetes/samples/roles.yaml'), 'utf8'));
    for (const role of roles) expect(builtinErrors('V1ClusterRole', role)).toEqual([]);
    const [view, edit] = roles.map((role) => role.rules as PolicyRule[]);
    const tokens = new Map([
      ['viewer', view ?? []],
      ['editor', [...(view ?? []), ...(edit ?? [])]],
    ]);
    const server = await startServer({ tokens });
    const input = JSON.stringify({ id: '/web', cmd: 'run' });
    const lines = [
      ['app', 'add', '--endpoints', 'web', '--no-wait'],
      ['app', 'update', 'web', '--no-wait'],
      ['app', 'list'],
      ['app', 'show', 'web'],
      ['app', 'remove', 'web', '--no-wait'],
    ];
    const all = async (token: string) => {
      useKubeconfig(server, token);
      const done: string[] = [];
      for (const words of lines) {
        const { status } = await typeLine([...words, '--kubernetes'], { input });
        done.push(`${words[1]} ${status}`);
      }
      return done;
    };
    expect(await all('editor')).toEqual(['add 0', 'update 0', 'list 0', 'show 0', 'remove 0']);
    writeApp(server, 'web');
    expect(await all('viewer')).toEqual(['add 2', 'update 2', 'list 0', 'show 0', 'remove 2']);
  });
});
