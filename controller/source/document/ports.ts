import type { Port, Rejection } from '../../model.ts';
import { shown } from './rejection.ts';
import type { MarathonApp, MarathonPortMapping } from './schema.ts';
import { taskLabelVips } from './task-labels.ts';

/** A declared port, and which of a task's addresses and ports reach it. */
export interface PlacedPort {
  readonly port: Port;
  /** As its author calls it; null for one without a name. */
  readonly name: string | null;
  /** null where none is declared: on the host's own network. */
  readonly containerPort: number | null;
  readonly reach:
    | {
        readonly by: 'host port';
        /** Index in the task's `ports`. */
        readonly index: number;
        /** Port of the container itself; 0: the same as the host port. Absent on the host network, which has none. */
        readonly containerPort?: number;
      }
    | { readonly by: 'container port'; readonly containerPort: number };
}

/** What one version of an app declares. */
export interface AppDefinition {
  readonly ports: readonly PlacedPort[];
  /** Whether it defines a health check. */
  readonly checked: boolean;
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

type Mode = Port['mode'];
type Labels = MarathonApp['labels'];

/** Marathon's flag `--mesos_bridge_name`: a legacy `ipAddress` on this network meant bridge mode. */
const MESOS_BRIDGE = 'mesos-bridge';

/**
 * Reads the ports of an app's definition in all three networking modes, new and legacy fields, and the VIPs
 * of its old-form task labels.
 *
 * Rules: Marathon's AppNormalization and PortDiscovery. Where Marathon would refuse a combination, the newer
 * field counts and the other one is in `rejected`.
 */
export function defineApp(app: MarathonApp): AppDefinition {
  const rejected: Rejection[] = [];
  const warnings: string[] = [];
  const reject = (at: string, value: unknown, reason: string) =>
    rejected.push({ app: app.id, at, value: shown(value), reason });

  const mode = networkMode(app, reject);
  const mappings = portMappings(app, reject);
  const ports: PlacedPort[] = [];
  if (mode === 'host') {
    ports.push(...hostPorts(app));
    warnings.push(
      ...unusedVips(
        mappings.at,
        mappings.list,
        'an app on the host network declares its ports in portDefinitions',
      ),
    );
  } else if (mode !== null) {
    ports.push(...mappedPorts(mappings.at, mappings.list, mode));
    warnings.push(
      ...unusedVips(
        'portDefinitions',
        app.portDefinitions ?? [],
        `an app in ${mode} mode declares its ports in container.portMappings`,
      ),
    );
  }
  if (mode !== null) ports.push(...taskLabelPorts(app.labels, mode));

  return { ports, checked: (app.healthChecks?.length ?? 0) > 0, rejected, warnings };
}

/** Whether any port of the definition has a VIP label. */
export function declaresVip(definition: { readonly ports: readonly { readonly port: Port }[] }): boolean {
  return definition.ports.some(({ port }) => hasVipLabel(port.labels));
}

/** Whether one of these labels asks for a VIP: DC/OS takes any key that begins with `VIP` or `vip`. */
function hasVipLabel(labels: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(labels).some(isVipKey);
}

/**
 * Labels as text. A value that is none is given as JSON, for whoever reads the label to reject; null is no
 * label.
 */
export function textLabels(labels: Labels): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (value !== null && value !== undefined)
      texts[key] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return texts;
}

/** `'udp,tcp'`, `'tcp, udp'`, `['tcp']` -> one entry per protocol; `absent` when there is none. */
export function protocolList(
  protocol: string | readonly string[] | null | undefined,
  absent: readonly string[],
): readonly string[] {
  if (protocol === null || protocol === undefined) return absent;
  const parts = typeof protocol === 'string' ? [protocol] : protocol;
  return parts
    .flatMap((part) => part.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

type Reject = (at: string, value: unknown, reason: string) => void;

function networkMode(app: MarathonApp, reject: Reject): Mode | null {
  const legacy = app.container?.docker?.network;
  const canonical = app.networks?.[0];
  if (canonical) {
    const both = '`networks` is given too, and Marathon refuses both together; `networks` counts';
    if (legacy) reject('container.docker.network', legacy, both);
    else if (app.ipAddress) reject('ipAddress', app.ipAddress, both);
    return canonical.mode ?? 'container';
  }
  if (legacy === 'NONE') {
    reject(
      'container.docker.network',
      legacy,
      'expected HOST, BRIDGE or USER: without a network there is nothing to connect to',
    );
    return null;
  }
  if (legacy) return legacy === 'HOST' ? 'host' : legacy === 'BRIDGE' ? 'container/bridge' : 'container';
  if (app.ipAddress) return app.ipAddress.networkName === MESOS_BRIDGE ? 'container/bridge' : 'container';
  return 'host';
}

interface Mappings {
  readonly at: string;
  readonly list: readonly MarathonPortMapping[];
}

function portMappings(app: MarathonApp, reject: Reject): Mappings {
  const canonical = app.container?.portMappings ?? [];
  const legacy = app.container?.docker?.portMappings ?? [];
  if (canonical.length > 0) {
    const both =
      'container.portMappings is given too, and Marathon refuses both together; container.portMappings counts';
    if (legacy.length > 0) reject('container.docker.portMappings', legacy, both);
    return { at: 'container.portMappings', list: canonical };
  }
  if (legacy.length > 0) return { at: 'container.docker.portMappings', list: legacy };

  // IP per container as Marathon 0.14 to 1.4 had it; Docker apps never could declare ports there.
  const docker = app.container?.type === 'DOCKER' || Boolean(app.container?.docker?.network);
  const discovered = (!docker && app.ipAddress?.discovery?.ports) || [];
  return {
    at: 'ipAddress.discovery.ports',
    list: discovered.map(({ number, ...rest }) => ({ ...rest, containerPort: number })),
  };
}

function hostPorts(app: MarathonApp): PlacedPort[] {
  const at = app.portDefinitions ? 'portDefinitions' : 'ports';
  const declared =
    app.portDefinitions ??
    (app.ports ?? []).map(() => ({ name: undefined, protocol: undefined, labels: undefined }));
  return declared.map(({ name, protocol, labels }, index) => ({
    name: name || null,
    containerPort: null,
    port: {
      at: `${at}[${index}]`,
      protocols: protocolList(protocol, TCP),
      labels: textLabels(labels),
      mode: 'host',
      backendAddress: 'agent',
    },
    reach: { by: 'host port', index },
  }));
}

function mappedPorts(at: string, mappings: readonly MarathonPortMapping[], mode: Mode): PlacedPort[] {
  // A task's `ports` lists allocated host ports only: mappings without one are skipped in the count.
  let allocated = 0;
  return mappings.map(({ name, containerPort, hostPort, protocol, labels }, index) => {
    // Marathon turns a missing hostPort into 0, allocate one, in bridge mode alone.
    const onHost = mode === 'container/bridge' || (hostPort !== null && hostPort !== undefined);
    return {
      name: name || null,
      containerPort: containerPort || null,
      port: {
        at: `${at}[${index}]`,
        protocols: protocolList(protocol, TCP),
        labels: textLabels(labels),
        mode,
        backendAddress: onHost ? 'agent' : 'container',
      },
      reach: onHost
        ? { by: 'host port', index: allocated++, containerPort: containerPort ?? 0 }
        : { by: 'container port', containerPort: containerPort ?? 0 },
    };
  });
}

const TCP: readonly string[] = ['tcp'];
/** The VIPs of old-form task labels; each becomes a port of its own, with the rest of the text as a VIP label. */
function taskLabelPorts(labels: Labels, mode: Mode): PlacedPort[] {
  return taskLabelVips(labels).map(({ at, index, protocols, labels: vip }) => ({
    name: null,
    containerPort: null,
    port: { at, protocols, labels: vip, mode, backendAddress: 'agent' },
    reach: { by: 'host port', index },
  }));
}

function unusedVips(at: string, ports: readonly { readonly labels?: Labels }[], why: string): string[] {
  return ports.flatMap(({ labels }, index) =>
    Object.keys(labels ?? {})
      .filter(isVipKey)
      .map((key) => `${at}[${index}].labels.${key} is not used: ${why}`),
  );
}

function isVipKey(key: string): boolean {
  return key.startsWith('VIP') || key.startsWith('vip');
}
