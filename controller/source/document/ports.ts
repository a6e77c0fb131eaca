import type { FoundLabel, MarathonApp, MarathonPortMapping, Unread } from '../../input/marathon-json.ts';
import { shown } from '../../input/rejection.ts';
import type { Port, Rejection } from '../../model/app.ts';
import { isVipLabel } from '../../settings/label-keys.ts';
import { mixedModes } from './networks.ts';
import { didYouMeanPlace, meantPlace, nullLabels, strayLabels, wrongPlace } from './stray-labels.ts';
import { taskLabelVips } from './task-labels.ts';

/** A declared port, and how it is reached among a task's addresses and ports. */
export interface DeclaredPort {
  readonly port: Port;
  /** null for a port without a name. */
  readonly name: string | null;
  /** null when none is declared, as on the host network. */
  readonly containerPort: number | null;
  readonly reach:
    | {
        readonly by: 'host port';
        /** Which one: the index in the `ports` of an app's task, the name of the endpoint in the status of a pod's container. */
        readonly index: number | string;
        /** The container's own port; 0 for the same number as the host port. Absent on the host network. */
        readonly containerPort?: number;
      }
    | { readonly by: 'container port'; readonly containerPort: number };
  /** The port is reached only at addresses on these networks; empty for all networks. */
  readonly networkNames: readonly string[];
}

/** What one version of an app or a pod declares. */
export interface Definition {
  readonly ports: readonly DeclaredPort[];
  /** The names of its networks, in order; null for a network without a name, which is an app's default in Marathon. */
  readonly networks: readonly (string | null)[];
  /** Whether an app has a health check. */
  readonly checked: boolean;
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

type Mode = Port['mode'];
type Labels = MarathonApp['labels'];

/** Default of Marathon's flag `--mesos_bridge_name`: a legacy `ipAddress` on this network meant bridge mode. */
const MESOS_BRIDGE = 'mesos-bridge';

/**
 * Reads the ports of an app's definition in all three networking modes, from new and legacy fields, and the VIPs of its
 * old-form task labels.
 *
 * The rules are those of Marathon's AppNormalization and PortDiscovery. For a combination that Marathon refuses, the
 * newer field counts and the other one is in `rejected`.
 */
export function defineApp(app: MarathonApp): Definition {
  const rejected = [...mixedModes(app.id, app.networks)];
  const reject = (at: string, value: unknown, reason: string) =>
    rejected.push({ app: app.id, at, value: shown(value), reason });

  const mode = networkMode(app, reject);
  const mappings = portMappings(app, reject);
  const ports: DeclaredPort[] = [];
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

/** Clears the protocols and labels of a port that could not be read completely. */
export function asRead(port: Port, unread: Unread | undefined): Port {
  return unread?.ports.has(port.at) ? { ...port, protocols: [], labels: {} } : port;
}

/** Whether any port of the definition has a VIP label. */
export function declaresVip(definition: { readonly ports: readonly { readonly port: Port }[] }): boolean {
  return definition.ports.some(({ port }) => Object.keys(port.labels).some(isVipLabel));
}

/**
 * Converts label values to text. A value that is not a string becomes JSON, which the reader of the label rejects; null
 * means no label.
 */
export function textLabels(labels: Labels): Readonly<Record<string, string>> {
  const texts: [string, string][] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (value !== null && value !== undefined)
      texts.push([key, typeof value === 'string' ? value : JSON.stringify(value)]);
  }
  // Not by assignment: a label may be named `__proto__`.
  return Object.fromEntries(texts);
}

/** Splits a protocol: `'udp,tcp'`, `'tcp, udp'` or `['tcp']` give one entry each; `absent` is the default. */
export function protocolList(
  protocol: string | readonly string[] | null | undefined,
  absent: readonly string[],
): readonly string[] {
  if (protocol === null || protocol === undefined) return absent;
  const parts = typeof protocol === 'string' ? [protocol] : protocol;
  return parts
    .flatMap((part) => part.split(','))
    .filter((part) => part.trim() !== '')
    .map((part) => part.trim());
}

type Reject = (at: string, value: unknown, reason: string) => void;

function networkMode(app: MarathonApp, reject: Reject): Mode | null {
  const legacy = app.container?.docker?.network;
  const canonical = app.networks?.[0];
  if (canonical) {
    const both = '`networks` is set too, and Marathon rejects both together: only `networks` is used';
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
 * The ports in `ipAddress.discovery`, if they are the app's ports.
 *
 * That was IP per container in Marathon 0.14 to 1.4: Marathon passed these ports to Mesos unchanged, with their labels,
 * and DC/OS used them as the container's own ports. Docker apps had them on the host network (where a Docker parameter
 * may choose another network), and with USER in early versions. Marathon refused them in bridge mode, since only the
 * agent reaches a port on the bridge.
 */
function discoveryPorts({ container, ipAddress, networks }: MarathonApp) {
  if (container?.docker?.network === 'BRIDGE' || networks?.[0]) return [];
  return ipAddress?.discovery?.ports ?? [];
}

function isDocker({ container }: MarathonApp): boolean {
  return container?.type === 'DOCKER' || Boolean(container?.docker?.network);
}

/** Warns of discovery ports of a Docker app: definitions outlive the Marathon version that they were written for. */
function oldPlace(app: MarathonApp, ports: readonly DeclaredPort[]): readonly string[] {
  const discovered = ports.filter(({ port }) => port.at.startsWith(DISCOVERY));
  if (!isDocker(app) || !declaresVip({ ports: discovered })) return [];
  return [
    `${DISCOVERY}: Marathon 1.5 and later reject these ports in a Docker app; use container.portMappings instead`,
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
      'container.portMappings is set too, and Marathon rejects both together: only container.portMappings is used';
    if (legacy.length > 0) reject('container.docker.portMappings', legacy, both);
    return { at: 'container.portMappings', list: canonical };
  }
  if (legacy.length > 0) return { at: 'container.docker.portMappings', list: legacy };

  return {
    at: DISCOVERY,
    list: discoveryPorts(app).map(({ number, ...rest }) => ({ ...rest, containerPort: number })),
  };
}

function hostPorts(app: MarathonApp): DeclaredPort[] {
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

function mappedPorts(at: string, mappings: readonly MarathonPortMapping[], mode: Mode): DeclaredPort[] {
  // A task's `ports` lists only allocated host ports, so mappings without one are not counted.
  let allocated = 0;
  return mappings.map(({ name, containerPort, hostPort, protocol, labels, networkNames }, index) => {
    // Only in bridge mode Marathon treats a missing hostPort as 0, which means: allocate one.
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
/** The VIPs of old-form task labels. Each becomes a port of its own, with the rest of the text as a VIP label. */
function taskLabelPorts(labels: Labels, mode: Mode): DeclaredPort[] {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => ({ key, value }));
  return taskLabelVips(pairs).map(({ at, index, protocols, labels: vip }) => ({
    name: null,
    containerPort: null,
    port: { at, protocols, labels: vip, mode, backendAddress: 'agent' },
    reach: { by: 'host port', index },
    networkNames: [],
  }));
}

/** Warns of VIP labels elsewhere in the app's JSON. `at` is the list of port mappings in use. */
function unusedLabels(
  app: MarathonApp,
  mode: Mode | null,
  at: string,
  ports: readonly DeclaredPort[],
): readonly string[] {
  const used = new Set(ports.map(({ port }) => port.at));
  const mapped = ports.some((port) => port.port.at.startsWith(`${at}[`));
  /** Whether this app's ports belong in this list. */
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
    if (mode === 'host' && counts(list)) return wrongPlace(label, APP_HOME);
    if (mode === 'host') return 'an app on the host network declares its ports in portDefinitions';
    if (list === DISCOVERY && isDocker(app)) {
      return `Marathon rejects discovery ports in a Docker app in ${mode} mode; use container.portMappings`;
    }
    return list === 'portDefinitions'
      ? `an app in ${mode} mode declares its ports in container.portMappings`
      : `the ports of this app are those in ${at}`;
  };
  return strayLabels(app.foundLabels, { ports: used, reason });
}

const APP_HOME = 'on a port, portDefinitions[].labels or container.portMappings[].labels';
const DISCOVERY = 'ipAddress.discovery.ports';
/** The lists in which an app's definition can declare ports. */
const LISTS = ['portDefinitions', 'container.portMappings', 'container.docker.portMappings', DISCOVERY];
const LABELS_OF_PORTS = LISTS.map((list) => `${list}[].labels`);
