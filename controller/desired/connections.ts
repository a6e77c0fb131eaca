import type { App, Task } from '../model/app.ts';
import type { Desired } from '../model/desired.ts';
import { endpointKey } from '../model/endpoint.ts';
import type { Backend } from '../model/service.ts';
import { cleanName } from './names.ts';

/** How clients connect to an endpoint of a service; the fields are those of `dcos kafka connection`. */
export interface Connection {
  /** Address and port of every backend in rotation: `10.0.0.211:9843`. */
  readonly address: readonly string[];
  /** The same backends by their Mesos-DNS names: `broker-0.kafka.mesos:9843`. */
  readonly dns: readonly string[];
  /** `broker.kafka.l4lb.thisdcos.directory:9092`. */
  readonly vip: string;
  /** The ZooKeeper path of services built with the DC/OS SDK, by the SDK's convention. */
  readonly zookeeper?: string;
}

/** Connections by service (the cleaned name of a framework) and endpoint (`broker:9092`, `10.1.2.3:80`). */
export type Connections = ReadonlyMap<string, ReadonlyMap<string, Connection>>;

/** The connections of all declared VIPs, including those without backends. */
export function connectionsOf(apps: readonly App[], { declared, services }: Desired): Connections {
  const members = membersOf(apps);
  const frameworks = frameworksById(apps);
  const zookeepers = zookeepersOf(apps);
  const backends = servingBackends(services);
  const connections = new Map<string, Map<string, Connection>>();
  for (const each of declared) {
    const vip = `${each.fqdn ?? each.address}:${each.port}`;
    for (const framework of frameworks.get(each.app) ?? []) {
      const service = cleanName(framework) ?? framework;
      // The name of an IP VIP has no framework, so it is listed under the frameworks of the apps that declare it.
      if (each.framework !== null && each.framework !== service) continue;
      const endpoints = connections.get(service) ?? new Map<string, Connection>();
      connections.set(service, endpoints);
      const name = `${each.name ?? each.address}:${each.port}`;
      const zookeeper = zookeepers.get(framework);
      const serving = backends.get(vip) ?? [];
      endpoints.set(name, { ...listed(serving, service, members), vip, ...(zookeeper && { zookeeper }) });
    }
  }
  return connections;
}

/** Groups services by VIP and port: the protocols and address families of one port are one endpoint. */
function servingBackends(services: Desired['services']): ReadonlyMap<string, readonly Backend[]> {
  const serving = new Map<string, Backend[]>();
  for (const { fqdn, address, port, backends } of services.values()) {
    const vip = `${fqdn ?? address}:${port}`;
    const all = serving.get(vip) ?? [];
    for (const backend of backends.values()) if (backend.weight > 0) all.push(backend);
    serving.set(vip, all);
  }
  return serving;
}

/** The endpoints of a service that match `NAME` or `NAME:PORT`; all when missing. */
export function endpointsNamed(
  endpoints: ReadonlyMap<string, Connection>,
  name: string | undefined,
): readonly string[] {
  const all = [...endpoints.keys()].sort();
  if (name === undefined) return all;
  const wanted = name.replace(/^\//, '').toLowerCase();
  return all.filter((each) => each === wanted || each.slice(0, each.lastIndexOf(':')) === wanted);
}

interface Member {
  readonly app: App;
  readonly task: Task;
}

type Members = ReadonlyMap<string, Member>;

function membersOf(apps: readonly App[]): Members {
  return new Map(apps.flatMap((app) => app.tasks.map((task) => [`${app.id} ${task.id}`, { app, task }])));
}

/** Framework names as the sources report them, by app id. */
function frameworksById(apps: readonly App[]): ReadonlyMap<string, ReadonlySet<string>> {
  const frameworks = new Map<string, Set<string>>();
  for (const { id, framework } of apps)
    frameworks.set(id, (frameworks.get(id) ?? new Set<string>()).add(framework));
  return frameworks;
}

function listed(
  serving: readonly Backend[],
  service: string,
  members: Members,
): Pick<Connection, 'address' | 'dns'> {
  const named = serving
    .map((backend) => ({
      address: endpointKey(backend),
      dns: `${dnsName(members.get(`${backend.app} ${backend.task}`), backend)}.${service}.mesos:${backend.port}`,
    }))
    .sort(
      (a, b) =>
        a.dns.localeCompare(b.dns, 'en', { numeric: true }) ||
        a.address.localeCompare(b.address, 'en', { numeric: true }),
    );
  return {
    address: [...new Set(named.map(({ address }) => address))],
    dns: [...new Set(named.map(({ dns }) => dns))],
  };
}

/** Mesos-DNS makes one label of a task's name; Marathon names tasks after their app, innermost group first. */
function dnsName(member: Member | undefined, { app }: Backend): string {
  const name = member?.task.name ?? app.split('/').filter(Boolean).reverse().join('.');
  return cleanName(name.replaceAll('.', '-')) ?? name;
}

/** The SDK's task ids: `broker-0__<uuid>`. */
const SDK_TASK = /__[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The ZooKeeper path of a framework; null when its tasks are not the SDK's. */
function zookeepersOf(apps: readonly App[]): ReadonlyMap<string, string | null> {
  const nodes = new Map<string, string | null>();
  for (const { framework, fromTasks, tasks } of apps) {
    if (nodes.get(framework) === null) continue;
    const isSdk = fromTasks === true && tasks.every(({ id }) => SDK_TASK.test(id));
    const node = framework.replace(/^\//, '').replaceAll('/', '__');
    nodes.set(framework, isSdk ? `master.mesos:2181/dcos-service-${node}` : null);
  }
  return nodes;
}
