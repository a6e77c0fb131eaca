import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { eventually, IN_LAB, ipvsadm, type RunningController, TestHost } from '../support/host.ts';
import { startKubernetes, type TestKubernetes } from '../support/kubernetes/start-kubernetes.ts';
import type { KubeObject } from '../support/kubernetes/types.ts';

const inLab = IN_LAB ? describe : describe.skip;
const DEPLOY = new URL('../../deploy/kubernetes/', import.meta.url);

/** `10.244.1.5:8080 1` for each backend in the kernel, as ipvsadm tells it. */
async function backends(): Promise<string> {
  const found = (await ipvsadm()).flatMap((line) => {
    const [, endpoint, weight] = /^-a -t \S+ -r (\S+) -m -w (\d+)/.exec(line) ?? [];
    return endpoint === undefined ? [] : [`${endpoint} ${weight}`];
  });
  return found.sort().join();
}

inLab('the controller, a Kubernetes API and a real kernel', () => {
  let directory: string;
  let host: TestHost;
  let kubernetes: TestKubernetes;
  let controller: RunningController;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-kernel-'));
    host = await TestHost.open();
    kubernetes = await startKubernetes({ bookmarkMs: 2_000 });
    host.environment = { KUBECONFIG: join(directory, 'config') };
    kubernetes.writeKubeconfig(join(directory, 'config'));
    write('apiextensions.k8s.io', 'customresourcedefinitions', sample('base/crd.yaml'));
    write('marathon-ipvs.io', 'marathonapps', sample('samples/marathon-app.yaml'));
    controller = await host.start('--source', 'kubernetes');
  });
  afterEach(async () => {
    await controller.end();
    await kubernetes.close();
    await host.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Resolves when the kernel has these; fails with what it has instead, and the controller's log. */
  const kernelHas = (expected: string) =>
    eventually(async () => {
      const found = await backends();
      if (found !== expected) throw new Error(`expected ${expected}, found ${found}\n${controller.log}`);
      return true;
    });

  const sample = (name: string): KubeObject => parse(readFileSync(new URL(name, DEPLOY), 'utf8'));

  function write(group: string, plural: string, object: KubeObject): void {
    const kind = kubernetes.operations.kinds.find((one) => one.group === group && one.plural === plural);
    if (kind === undefined) throw new Error(`no ${plural}`);
    const writer = { manager: 'test', subresource: undefined, force: true };
    const namespace = kind.namespaced ? 'default' : null;
    kubernetes.operations.apply({ kind, namespace, name: object.metadata.name }, object, writer);
  }

  function endpoints(...given: readonly (readonly [address: string, ready: boolean])[]): void {
    slice('my-service', given);
  }

  function slice(service: string, given: readonly (readonly [address: string, ready: boolean])[]): void {
    write('discovery.k8s.io', 'endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${service}-1`, labels: { 'kubernetes.io/service-name': service } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: given.map(([address, ready]) => ({ addresses: [address], conditions: { ready } })),
    } as unknown as KubeObject);
  }

  function status(): { readonly vip?: string; readonly backends?: string; readonly conditions?: object[] } {
    const [app] = kubernetes.operations.storage.all('marathon-ipvs.io/marathonapps');
    return (app?.['status'] as object | undefined) ?? {};
  }

  test('endpoints reach the kernel, an API server that is away changes nothing, and the status says what there is', async () => {
    await controller.ready();
    endpoints(['10.244.1.5', true], ['10.244.2.9', false]);
    await kernelHas('10.244.1.5:8080 1,10.244.2.9:8080 0');
    await eventually(async () => status().backends === '1/2');
    expect(status()).toMatchObject({ vip: 'my-service.marathon.l4lb.thisdcos.directory:5555' });

    const away = kubernetes.restart(3_000, true);
    endpoints(['10.244.1.5', true], ['10.244.2.9', true]);
    expect(await backends()).toBe('10.244.1.5:8080 1,10.244.2.9:8080 0');
    await away;
    await kernelHas('10.244.1.5:8080 1,10.244.2.9:8080 1');
    endpoints(['10.244.2.9', true]);
    await kernelHas('10.244.2.9:8080 1');
  });

  test('MarathonApps that are deleted leave the kernel at once, also when it is all of them', async () => {
    await controller.ready();
    const { spec, ...first } = sample('samples/marathon-app.yaml') as KubeObject & { spec: object };
    const portMappings = [{ name: 'http', containerPort: 8080, labels: { VIP_0: '/other:80' } }];
    const app = { id: '/other', networks: [{ mode: 'container/bridge' }], container: { portMappings } };
    const other = {
      ...first,
      metadata: { name: 'other' },
      spec: { ...spec, app, endpoints: { service: 'other' } },
    };
    write('marathon-ipvs.io', 'marathonapps', other as unknown as KubeObject);
    slice('other', [['10.244.3.1', true]]);
    endpoints(['10.244.1.5', true], ['10.244.2.9', true]);
    await kernelHas('10.244.1.5:8080 1,10.244.2.9:8080 1,10.244.3.1:8080 1');

    const kind = kubernetes.operations.kinds.find(({ plural }) => plural === 'marathonapps');
    if (kind === undefined) throw new Error('no marathonapps');
    for (const name of ['my-service', 'other'])
      kubernetes.operations.delete({ kind, namespace: 'default', name }, null);
    await eventually(async () => (await ipvsadm()).length === 0);
    expect(controller.log).not.toContain('mass removal held');
  });
});
