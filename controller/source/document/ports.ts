import type { FoundLabel, MarathonApp, MarathonPortMapping, Unread } from '../../marathon-json.ts';
import type { Port, Rejection } from '../../model.ts';
import { shown } from '../../rejection.ts';
import { isVipLabel } from '../../settings/label-keys.ts';
import { mixedModes } from './networks.ts';
import { didYouMeanPlace, meantPlace, nullLabels, strayLabels, wrongPlace } from './stray-labels.ts';
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
  /** It is reached only by addresses on these networks; empty: on all of them. */
  readonly networkNames: readonly string[];
}

/** What one version of an app declares. */
export interface AppDefinition {
  readonly ports: readonly PlacedPort[];
  /** The networks of its containers in their order; null for one that the definition leaves to Marathon's default. */
  readonly networks: readonly (string | null)[];
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
  const rejected = [...mixedModes(app.id, app.networks)];
  const reject = (at: string, value: unknown, reason: string) =>
    rejected.push({ app: app.id, at, value: shown(value), reason });

  const mode = networkMode(app, reject);
  const mappings = portMappings(app, reject);
  const ports: PlacedPort[] = [];
  if (mode === 'host') ports.push(...hostPorts(app));
  else if (mode !== null) ports.push(...mappedPorts(mappings.at, mappings.list, mode));
  if (mode !== null) ports.push(...taskLabelPorts(app.labels, mode));

  return {
    ports: ports.map((each) => ({ ...each, port: asRead(each.port, app.unread) })),
    networks: networkNames(app),
    checked: (app.healthChecks?.length ?? 0) > 0,
    rejected,
    warnings: [
      ...nullLabels([
        ['portDefinitions', app.portDefinitions],
        [mappings.at, mappings.list],
      ]),
      ...oldPlace(app, ports),
      ...unusedLabels(app, mode, mappings.at, ports),
    ],
  };
}

/** A port of which something could not be read declares nothing by itself. */
export function asRead(port: Port, unread: Unread | undefined): Port {
  return unread?.ports.has(port.at) ? { ...port, protocols: [], labels: {} } : port;
}

/** Whether any port of the definition has a VIP label. */
export function declaresVip(definition: { readonly ports: readonly { readonly port: Port }[] }): boolean {
  return definition.ports.some(({ port }) => Object.keys(port.labels).some(isVipLabel));
}

/**
 * Labels as text. A value that is none is given as JSON, for whoever reads the label to reject; null is no
 * label.
 */
export function textLabels(labels: Labels): Readonly<Record<string, string>> {
  const texts: [string, string][] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (value !== null && value !== undefined)
      texts.push([key, typeof value === 'string' ? value : JSON.stringify(value)]);
  }
  // Not by assignment: a label may be called `__proto__`.
  return Object.fromEntries(texts);
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
  if (legacy === 'HOST') return discoveryPorts(app).length > 0 ? 'container' : 'host';
  if (legacy) return legacy === 'BRIDGE' ? 'container/bridge' : 'container';
  if (app.ipAddress) return app.ipAddress.networkName === MESOS_BRIDGE ? 'container/bridge' : 'container';
  return 'host';
}

/**
 * The ports in `ipAddress.discovery`, where these are the app's. That was IP per container in Marathon 0.14 to 1.4, which
 * put them into Mesos as they were, with their labels, and DC/OS took them for the container's own. Docker apps had them
 * on the host network (a parameter for Docker may then give another one), and with USER in early Marathons. Nothing but
 * the agent reaches a port of the bridge, so they were refused there.
 */
function discoveryPorts({ container, ipAddress, networks }: MarathonApp) {
  if (container?.docker?.network === 'BRIDGE' || networks?.[0]) return [];
  return ipAddress?.discovery?.ports ?? [];
}

function isDocker({ container }: MarathonApp): boolean {
  return container?.type === 'DOCKER' || Boolean(container?.docker?.network);
}

/** Definitions outlive the Marathon that they were written for. */
function oldPlace(app: MarathonApp, ports: readonly PlacedPort[]): readonly string[] {
  const discovered = ports.filter(({ port }) => port.at.startsWith(DISCOVERY));
  if (!isDocker(app) || !declaresVip({ ports: discovered })) return [];
  return [
    `${DISCOVERY}: Marathon refuses these of a Docker app from 1.5 on; container.portMappings takes their place`,
  ];
}

interface Mappings {
  readonly at: string;
  readonly list: readonly MarathonPortMapping[];
}

function networkNames({ networks, ipAddress }: MarathonApp): readonly (string | null)[] {
  if (networks?.[0]) return networks.map(({ name }) => name || null);
  return [ipAddress?.networkName || null];
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

  return {
    at: DISCOVERY,
    list: discoveryPorts(app).map(({ number, ...rest }) => ({ ...rest, containerPort: number })),
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
    networkNames: [],
  }));
}

function mappedPorts(at: string, mappings: readonly MarathonPortMapping[], mode: Mode): PlacedPort[] {
  // A task's `ports` lists allocated host ports only: mappings without one are skipped in the count.
  let allocated = 0;
  return mappings.map(({ name, containerPort, hostPort, protocol, labels, networkNames }, index) => {
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
      networkNames: networkNames ?? [],
    };
  });
}

const TCP: readonly string[] = ['tcp'];
/** The VIPs of old-form task labels; each becomes a port of its own, with the rest of the text as a VIP label. */
function taskLabelPorts(labels: Labels, mode: Mode): PlacedPort[] {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => ({ key, value }));
  return taskLabelVips(pairs).map(({ at, index, protocols, labels: vip }) => ({
    name: null,
    containerPort: null,
    port: { at, protocols, labels: vip, mode, backendAddress: 'agent' },
    reach: { by: 'host port', index },
    networkNames: [],
  }));
}

/** Why VIP labels elsewhere in the app's JSON are of no use. `at`: the list of port mappings that counts. */
function unusedLabels(
  app: MarathonApp,
  mode: Mode | null,
  at: string,
  ports: readonly PlacedPort[],
): readonly string[] {
  const used = new Set(ports.map(({ port }) => port.at));
  const mapped = ports.some((port) => port.port.at.startsWith(`${at}[`));
  /** Whether this app has its ports there, or would have if it had any. */
  const counts = (list: string): boolean => {
    if (mode === 'host') return list === 'portDefinitions';
    return list !== 'portDefinitions' && (list === at || !mapped);
  };
  const reason = (label: FoundLabel): string => {
    const meant = meantPlace(label.parent, LABELS_OF_PORTS);
    const list = LISTS.find((each) => (meant ?? label.parent).startsWith(`${each}[`));
    if (list === undefined || used.has(label.parent)) return wrongPlace(label, APP_HOME);
    if (mode === null) return 'the app has no network, since container.docker.network is NONE';
    if (meant !== null && counts(list)) return didYouMeanPlace(meant);
    if (mode === 'host') return 'an app on the host network declares its ports in portDefinitions';
    if (list === DISCOVERY && isDocker(app)) {
      return `Marathon takes no discovery ports from a Docker app in ${mode} mode; use container.portMappings`;
    }
    return list === 'portDefinitions'
      ? `an app in ${mode} mode declares its ports in container.portMappings`
      : `the ports of this app are those in ${at}`;
  };
  return strayLabels(app.foundLabels, { ports: used, reason });
}

const APP_HOME = 'on a port, portDefinitions[].labels or container.portMappings[].labels';
const DISCOVERY = 'ipAddress.discovery.ports';
/** The lists of ports that an app's definition can have. */
const LISTS = ['portDefinitions', 'container.portMappings', 'container.docker.portMappings', DISCOVERY];
const LABELS_OF_PORTS = LISTS.map((list) => `${list}[].labels`);
