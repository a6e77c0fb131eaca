import {
  type App,
  type Backend,
  type BackendKey,
  type Declared,
  endpointKey,
  type Family,
  type Port,
  type Protocol,
  type Rejection,
  type Task,
  type TaskPort,
} from '../model.ts';
import { canonicalAddress, familyOf } from './address.ts';
import { standingOf } from './backends.ts';
import { complaintsAbout } from './complaints.ts';
import type { PortOptions } from './port-options.ts';
import { createPortReader, type Naming, type PortReading, type Surroundings } from './port-reading.ts';
import { familiesOf, type NamedTarget, type Target } from './target.ts';

export interface ClaimRules extends Naming {
  /** The families in which named VIPs get addresses. */
  readonly namedFamilies: readonly Family[];
}

/** That one app asks for one VIP over one protocol, and what it puts behind it. */
export interface Claim {
  /** The same for all apps that ask for this VIP: `tcp/web.marathon.l4lb.thisdcos.directory:80`. */
  readonly key: string;
  /** App, framework and path; of apps that share a VIP, the one whose place sorts first decides. */
  readonly place: string;
  readonly target: Target;
  readonly protocol: Protocol;
  readonly scheduler: string;
  readonly persistenceSeconds: number;
  readonly declared: Declared;
  /** Sorted by their keys. */
  readonly backends: Readonly<Record<Family, ReadonlyMap<BackendKey, Backend>>>;
}

/** A name as somebody wrote it. */
export interface Spelling {
  /** `label.framework`, cleaned. */
  readonly fullName: string;
  readonly written: string;
  /** App and path: `/web portDefinitions[0].labels.VIP_0`. */
  readonly place: string;
}

export interface LabelState {
  /** As in `Memory.labels`. */
  readonly key: string;
  /** Its text; null when that is not valid. */
  readonly valid: string | null;
}

/** Everything that one app's labels give. */
export interface AppClaims {
  readonly claims: readonly Claim[];
  /** The VIP labels of the newest definition. */
  readonly labels: readonly LabelState[];
  /** How the newest definition writes its names. */
  readonly spellings: readonly Spelling[];
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

/**
 * What one app claims: the VIPs of its newest definition, and those that running tasks of an older version still
 * ask for (on DC/OS too, a task served the VIPs of its own version until it was killed).
 *
 * Labels are complained about where the newest definition has them, not once more for each task.
 */
export function claimsOf(app: App, rules: ClaimRules, surroundings: Surroundings): AppClaims {
  const readPort = createPortReader(app, rules, surroundings);
  const drafts = new Map<string, Draft>();
  const labels: LabelState[] = [];
  const spellings: Spelling[] = [];
  const rejected: Rejection[] = [...app.rejected];
  const warnings: string[] = [...app.warnings];

  for (const port of app.ports) {
    const reading = readPort(port);
    const complaints = complaintsAbout(app, port, reading);
    rejected.push(...complaints.rejected);
    warnings.push(...complaints.warnings);
    for (const { key, at, text, problem, target } of reading.vips) {
      labels.push({ key, valid: problem === null ? text : null });
      if (target?.named) spellings.push(toSpelling(target.named, `${app.id} ${at}`));
    }
    for (const draft of draftsFor(drafts, app, port, reading, rules)) {
      warnings.push(...differentSettings(draft, port, reading.options.options));
    }
  }
  for (const task of app.tasks) {
    for (const port of task.ports) warnings.push(...offer(drafts, app, task, port, readPort(port), rules));
  }
  const claims = [...drafts.values()].map(finish);
  for (const draft of drafts.values()) warnings.push(...leftOut(draft));
  return { claims, labels, spellings, rejected, warnings };
}

/** A claim while its backends are being collected. */
interface Draft {
  readonly key: string;
  readonly app: App;
  readonly target: Target;
  readonly protocol: Protocol;
  /** Where the app asks for it first. */
  readonly port: Port;
  readonly at: string;
  readonly options: PortOptions;
  readonly families: readonly Family[];
  readonly backends: Readonly<Record<Family, Map<BackendKey, Backend>>>;
  /** Addresses of a family that the VIP cannot have. */
  readonly strangers: Set<string>;
}

function toSpelling({ fullName, written }: NamedTarget, place: string): Spelling {
  return { fullName, written, place };
}

/** The drafts that a port's labels lead to, made where they are new. */
function draftsFor(
  drafts: Map<string, Draft>,
  app: App,
  port: Port,
  reading: PortReading,
  rules: ClaimRules,
): readonly Draft[] {
  const found: Draft[] = [];
  for (const { target, at } of reading.vips) {
    if (target === null) continue;
    for (const protocol of reading.protocols) {
      const key = `${protocol}/${target.key}`;
      let draft = drafts.get(key);
      if (draft === undefined) {
        const { options } = reading.options;
        const families = familiesOf(target, rules.namedFamilies);
        const backends = { ipv4: new Map<BackendKey, Backend>(), ipv6: new Map<BackendKey, Backend>() };
        draft = { key, app, target, protocol, port, at, options, families, backends, strangers: new Set() };
        drafts.set(key, draft);
      }
      found.push(draft);
    }
  }
  return found;
}

/** Puts one port of a task behind the VIPs that its labels ask for; returns warnings. */
function offer(
  drafts: Map<string, Draft>,
  app: App,
  task: Task,
  port: TaskPort,
  reading: PortReading,
  rules: ClaimRules,
): readonly string[] {
  const { weight, drainSeconds } = reading.options.options;
  const standing = standingOf(task, weight);
  if (standing === null || reading.vips.length === 0) return [];

  const wanting = draftsFor(drafts, app, port, reading, rules);
  for (const endpoint of port.endpoints) {
    const address = canonicalAddress(endpoint.address);
    // Port 0: Mesos has allocated none; dcos-net drops these too.
    if (address === null || endpoint.port < 1) continue;
    const backend: Backend = {
      address,
      port: endpoint.port,
      app: app.id,
      task: task.id,
      weight: standing.weight,
      forward: 'masquerade',
      reason: standing.reason,
      drainSeconds,
    };
    for (const draft of wanting) addBackend(draft, endpointKey(backend), backend);
  }
  const missing = port.unresolved !== undefined && port.endpoints.length === 0 && wanting.length > 0;
  return missing ? [`${app.id} ${port.at}: task ${task.id} is no backend: ${port.unresolved}`] : [];
}

function addBackend(draft: Draft, key: BackendKey, backend: Backend): void {
  const family = familyOf(backend.address);
  if (!draft.families.includes(family)) {
    draft.strangers.add(backend.address);
    return;
  }
  const backends = draft.backends[family];
  const other = backends.get(key);
  backends.set(key, other === undefined ? backend : preferred(other, backend));
}

/** Which of two backends with one address and port counts: the greater weight, and else a choice that all hosts make alike. */
export function preferred(a: Backend, b: Backend): Backend {
  if (a.weight !== b.weight) return a.weight > b.weight ? a : b;
  return `${a.app} ${a.task}` <= `${b.app} ${b.task}` ? a : b;
}

function finish(draft: Draft): Claim {
  const { key, app, target, protocol, port, at, options } = draft;
  const backends = { ipv4: sorted(draft.backends.ipv4), ipv6: sorted(draft.backends.ipv6) };
  const declared: Declared = {
    app: app.id,
    name: target.named?.name ?? null,
    framework: target.named?.framework ?? null,
    fqdn: target.named?.fqdn ?? null,
    address: target.address?.text ?? null,
    protocol,
    port: target.port,
    backends: backends.ipv4.size + backends.ipv6.size,
    at,
    mode: port.mode,
    backendAddress: port.backendAddress,
    ...(port.container === undefined ? {} : { container: port.container }),
  };
  const { scheduler, persistenceSeconds } = options;
  const place = `${app.id} ${app.framework} ${at}`;
  return { key, place, target, protocol, scheduler, persistenceSeconds, declared, backends };
}

/** By key, so that nothing depends on the order in which tasks are listed. */
export function sorted(backends: ReadonlyMap<BackendKey, Backend>): ReadonlyMap<BackendKey, Backend> {
  if (backends.size < 2) return backends;
  return new Map([...backends].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One VIP can have one scheduler only: the app's first port decides. */
function differentSettings(
  { options, at, app, target }: Draft,
  port: Port,
  others: PortOptions,
): readonly string[] {
  if (options.scheduler === others.scheduler && options.persistenceSeconds === others.persistenceSeconds)
    return [];
  return [
    `${app.id} ${port.at}: scheduler and persistence of ${target.key} are those at ${at}, which differ`,
  ];
}

/** A VIP that nothing can be behind would otherwise be missing without a word. */
function leftOut({ app, at, target, families, backends, strangers }: Draft): readonly string[] {
  if (strangers.size === 0 || backends.ipv4.size + backends.ipv6.size > 0) return [];
  const wanted = families.map((family) => (family === 'ipv4' ? 'IPv4' : 'IPv6')).join(' or ');
  return [
    `${app.id} ${at}: ${target.key} has no backend, since it takes ${wanted} and the tasks have other addresses`,
  ];
}
