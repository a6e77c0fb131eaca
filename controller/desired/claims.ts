/** The claims of one app: the VIPs that its labels ask for, with the backends that its tasks give. */

import { type Family, familyOf } from '../address.ts';
import type { App, Port, Rejection, Task, TaskPort } from '../model/app.ts';
import type { Declared } from '../model/desired.ts';
import { type BackendKey, endpointKey, type Protocol } from '../model/endpoint.ts';
import type { Backend } from '../model/service.ts';
import { optionsText, type PortOptions, sharedOptionsThatDiffer } from '../settings/label-options.ts';
import { type BackendRules, backendsOf, preferred } from './backends.ts';
import { collectProblems } from './label-problems.ts';
import { createPortReader, type HostContext, type Naming, type PortReading } from './port-reading.ts';
import { familiesOf, type NamedTarget, type Target } from './target.ts';
import { withoutBackends } from './without-backends.ts';

/** One app's request for a VIP over one protocol, with the backends that the app contributes. */
export interface Claim {
  /** Key of the VIP, shared by all apps that ask for it: `tcp/web.marathon.l4lb.thisdcos.directory:80`. */
  readonly key: string;
  /** App, framework and path. Where apps share a VIP, the claim whose place sorts first decides its settings. */
  readonly place: string;
  readonly target: Target;
  readonly protocol: Protocol;
  readonly options: PortOptions;
  readonly declared: Declared;
  readonly backends: Readonly<Record<Family, ReadonlyMap<BackendKey, Backend>>>;
}

/** The parts of the configuration that claims depend on. */
export interface ClaimRules extends Naming, Pick<BackendRules, 'poolOf'> {
  /** The address families of named VIPs. */
  readonly namedFamilies: readonly Family[];
}

/** The name of a VIP as a label writes it. */
export interface Spelling {
  /** `label.framework`, cleaned. */
  readonly fullName: string;
  readonly written: string;
  /** App and path: `/web portDefinitions[0].labels.VIP_0`. */
  readonly place: string;
}

/** Whether a VIP label is valid. */
export interface LabelState {
  /** As in `NameMemory.labels`. */
  readonly key: string;
  /** Its text; null when the text is invalid. */
  readonly valid: string | null;
}

/** Everything derived from the labels of one app. */
export interface AppClaims {
  readonly claims: readonly Claim[];
  /** State of each VIP label of the newest definition. */
  readonly labels: readonly LabelState[];
  /** How the newest definition writes its names. */
  readonly spellings: readonly Spelling[];
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

/**
 * The claims of one app: the VIPs of its newest definition, and those that running tasks of an older version still ask
 * for (as on DC/OS, where a task served the VIPs of its own version until it was killed).
 *
 * A problem with a label is reported once, for the newest definition, and not again for each task.
 */
export function claimsOf(app: App, rules: ClaimRules, context: HostContext): AppClaims {
  const readPort = createPortReader(app, rules, context);
  const drafts = new Drafts(rules.namedFamilies);
  const labels = new Map<string, LabelState>();
  const spellings: Spelling[] = [];
  const problems = collectProblems(app, rules.zone);
  const warnings = app.warnings.map((warning) => `${app.id} ${warning}`);

  for (const port of app.ports) {
    const reading = readPort(port);
    problems.about(port, reading);
    for (const draft of drafts.of(port, reading))
      warnings.push(...differentSettings(app, draft, port, reading.options.options));
    for (const { key, at, text, problem, target } of reading.vips) {
      note(labels, { key, valid: problem === null ? text : null });
      if (target?.named) spellings.push(toSpelling(target.named, `${app.id} ${at}`));
    }
  }
  const { localAddresses, unfit } = context;
  const backendRules = { poolOf: rules.poolOf, localAddresses, unfit };
  for (const task of app.tasks) {
    for (const port of task.ports) {
      const reading = readPort(port);
      problems.aboutTask(task, port, reading);
      const warning = addBackends(drafts, app, task, port, reading, backendRules);
      if (warning !== null) warnings.push(warning);
    }
  }
  warnings.push(...problems.warnings, ...drafts.all.flatMap((draft) => leftOut(app, draft)));
  return {
    claims: drafts.all.map((draft) => toClaim(app, draft)),
    labels: [...labels.values()],
    spellings: spellings.slice(),
    rejected: problems.rejected(),
    warnings,
  };
}

/** Ports may share a label key with different texts: the first valid text counts. */
function note(labels: Map<string, LabelState>, state: LabelState): void {
  const known = labels.get(state.key) ?? null;
  if (known === null || known.valid === null) labels.set(state.key, state);
}

function toSpelling({ fullName, written }: NamedTarget, place: string): Spelling {
  return { fullName, written, place };
}

/** A claim that gets its backends. */
interface Draft {
  readonly key: string;
  readonly target: Target;
  readonly protocol: Protocol;
  /** The first port of the app that asks for this VIP. */
  readonly port: Port;
  readonly at: string;
  readonly options: PortOptions;
  readonly families: readonly Family[];
  readonly backends: Record<Family, Map<BackendKey, Backend> | undefined>;
  /** Whether a backend was left out because the VIP cannot have backends of its address family. */
  otherFamily: boolean;
  /** Why the first running task that is no backend is none; null when no task lacks an address. */
  lack: string | null;
}

/** The drafts of one app. */
class Drafts {
  readonly #namedFamilies: readonly Family[];
  readonly #byKey = new Map<string, Draft>();
  /** Tasks share the reading of their port, so its drafts are looked up once. */
  readonly #byReading = new Map<PortReading, readonly Draft[]>();

  constructor(namedFamilies: readonly Family[]) {
    this.#namedFamilies = namedFamilies;
  }

  get all(): readonly Draft[] {
    return [...this.#byKey.values()];
  }

  /** The drafts for the VIPs in the labels of a port. Creates those that no port before has asked for. */
  of(port: Port, reading: PortReading): readonly Draft[] {
    let found = this.#byReading.get(reading);
    if (found === undefined) {
      const { protocols, options } = reading;
      found = reading.vips.flatMap(({ target, at }) =>
        target === null ? [] : protocols.map((each) => this.#draft(target, each, port, at, options.options)),
      );
      this.#byReading.set(reading, found);
    }
    return found;
  }

  #draft(target: Target, protocol: Protocol, port: Port, at: string, options: PortOptions): Draft {
    const key = `${protocol}/${target.key}`;
    const draft = this.#byKey.get(key) ?? {
      key,
      target,
      protocol,
      port,
      at,
      options,
      families: familiesOf(target, this.#namedFamilies),
      backends: { ipv4: undefined, ipv6: undefined },
      otherFamily: false,
      lack: null,
    };
    this.#byKey.set(key, draft);
    return draft;
  }
}

/**
 * Adds the backends of a task's port to the VIPs in its labels. Creates those VIPs that only an older version of the app
 * declares. Returns a warning or null.
 */
function addBackends(
  drafts: Drafts,
  app: App,
  task: Task,
  port: TaskPort,
  reading: PortReading,
  rules: BackendRules,
): string | null {
  const found =
    reading.vips.length === 0 ? null : backendsOf(app, task, port, reading.options.options, rules);
  if (found === null) return null;
  const { backends, lacks } = found;
  const wanting = drafts.of(port, reading);
  for (const backend of backends) {
    const key = endpointKey(backend);
    for (const draft of wanting) add(draft, key, backend);
  }
  if (lacks.length === 0 || wanting.length === 0) return null;
  const reasons = lacks.join('; ');
  for (const draft of wanting) draft.lack ??= reasons;
  const part = backends.length > 0 ? 'is a backend at some of its addresses only' : 'is not a backend';
  return `${app.id} ${port.at}: task ${task.id} ${part}: ${reasons}`;
}

function add(draft: Draft, key: BackendKey, backend: Backend): void {
  const family = familyOf(backend.address);
  if (!draft.families.includes(family)) {
    draft.otherFamily = true;
    draft.lack ??= `its address ${backend.address} is not ${familiesText(draft)}`;
    return;
  }
  const backends = draft.backends[family] ?? new Map<BackendKey, Backend>();
  draft.backends[family] = backends;
  const other = backends.get(key);
  backends.set(key, other === undefined ? backend : preferred(other, backend));
}

function toClaim(app: App, { key, target, protocol, port, at, options, backends, lack }: Draft): Claim {
  const { ipv4 = EMPTY, ipv6 = EMPTY } = backends;
  const count = ipv4.size + ipv6.size;
  const declared: Declared = {
    app: app.id,
    name: target.named?.name ?? null,
    framework: target.named?.framework ?? null,
    fqdn: target.named?.fqdn ?? null,
    address: target.address?.text ?? null,
    protocol,
    port: target.port,
    backends: count,
    ...(count === 0 && { withoutBackends: withoutBackends(app, lack) }),
    at,
    mode: port.mode,
    backendAddress: port.backendAddress,
    ...(port.container !== undefined && { container: port.container }),
  };
  const place = `${app.id} ${app.framework} ${at}`;
  return { key, place, target, protocol, options, declared, backends: { ipv4, ipv6 } };
}

const EMPTY: ReadonlyMap<BackendKey, Backend> = new Map();
const NONE: readonly string[] = [];

/** Warns where ports of one app ask for different settings of a VIP: the kernel has one value, that of the first port. */
function differentSettings(
  app: App,
  { options, at, target, port: first }: Draft,
  port: Port,
  others: PortOptions,
): readonly string[] {
  const differ = sharedOptionsThatDiffer(options, others);
  if (differ.length === 0) return NONE;
  const [decides, asked] = [optionsText(differ, options), optionsText(differ, others)];
  // Two ports at the same path are in two definitions.
  const where = at.startsWith(`${port.at}.`)
    ? [`in ${port.definedBy ?? 'another source'} too`, first.definedBy ?? 'the first source']
    : ['here', at];
  return [
    `${app.id} ${port.at}: ${target.key} has ${asked} ${where[0]}, but ${where[1]} decides: ${decides}`,
  ];
}

/** Warns of a VIP that has no service because all of its backends have the wrong address family. */
function leftOut(app: App, { at, target, families, backends, otherFamily }: Draft): readonly string[] {
  if (!otherFamily || backends.ipv4 !== undefined || backends.ipv6 !== undefined) return NONE;
  const wanted = familiesText({ families });
  return [`${app.id} ${at}: ${target.key} takes only ${wanted} backends, and its tasks have other addresses`];
}

function familiesText({ families }: Pick<Draft, 'families'>): string {
  return families.map((family) => (family === 'ipv4' ? 'IPv4' : 'IPv6')).join(' or ');
}
