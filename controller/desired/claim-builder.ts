import { canonicalAddress, type Family, familyOf, unusableAsBackend } from '../address.ts';
import {
  type App,
  type Backend,
  type BackendKey,
  type Declared,
  type Endpoint,
  endpointKey,
  type Port,
  type Protocol,
  type Task,
  type TaskPort,
} from '../model.ts';
import { optionsText, type PortOptions, sharedOptionsThatDiffer } from '../settings/label-options.ts';
import { backendFields, compact } from '../settings/settings.ts';
import { weightOf } from './backends.ts';
import type { Claim, ClaimRules } from './claim.ts';
import type { HostContext, PortReading } from './port-reading.ts';
import { familiesOf, type Target } from './target.ts';
import { withoutBackends } from './without-backends.ts';

/** Collects the claims of one app from its ports and tasks. */
export interface ClaimBuilder {
  /** Adds the VIPs of a port of the newest definition. Returns warnings. */
  declare(port: Port, reading: PortReading): readonly string[];
  /**
   * Adds a task's port as a backend of the VIPs in its labels. Creates those VIPs that only an older version of the
   * app declares. Returns a warning or null.
   */
  addBackends(task: Task, port: TaskPort, reading: PortReading): string | null;
  finish(): { readonly claims: readonly Claim[]; readonly warnings: readonly string[] };
}

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

export function createClaimBuilder(
  app: App,
  { namedFamilies, poolOf }: Pick<ClaimRules, 'namedFamilies' | 'poolOf'>,
  { localAddresses, unfit }: Pick<HostContext, 'localAddresses' | 'unfit'>,
): ClaimBuilder {
  const faultOf: FaultOf = (address) => {
    const unusable = unusableAsBackend(address);
    if (unusable !== null) return unusable;
    const pool = poolOf(address);
    if (pool !== null) return `an address of the named VIPs' pool, ${pool}`;
    return unfit.get(address) ?? null;
  };
  const drafts = new Map<string, Draft>();
  // Tasks share the reading of their port, so its drafts are looked up once.
  const known = new Map<PortReading, readonly Draft[]>();

  const draftFor = (
    target: Target,
    protocol: Protocol,
    port: Port,
    at: string,
    options: PortOptions,
  ): Draft => {
    const key = `${protocol}/${target.key}`;
    const draft = drafts.get(key) ?? {
      key,
      target,
      protocol,
      port,
      at,
      options,
      families: familiesOf(target, namedFamilies),
      backends: { ipv4: undefined, ipv6: undefined },
      otherFamily: false,
      lack: null,
    };
    drafts.set(key, draft);
    return draft;
  };
  const draftsOf = (port: Port, reading: PortReading): readonly Draft[] => {
    let found = known.get(reading);
    if (found === undefined) {
      found = reading.vips.flatMap(({ target, at }) =>
        target === null
          ? []
          : reading.protocols.map((each) => draftFor(target, each, port, at, reading.options.options)),
      );
      known.set(reading, found);
    }
    return found;
  };

  return {
    declare: (port, reading) =>
      draftsOf(port, reading).flatMap((draft) =>
        differentSettings(app, draft, port, reading.options.options),
      ),
    addBackends(task, port, reading) {
      const { options } = reading.options;
      const weighed = reading.vips.length === 0 ? null : weightOf(task, options.weight);
      if (weighed === null) return null;

      const wanting = draftsOf(port, reading);
      const common = {
        app: app.id,
        task: task.id,
        drainSeconds: options.drainSeconds,
        ...(task.place !== undefined && { place: task.place }),
        ...aboutEjection(task, options),
      };
      const { places, faults } = placesOn(localAddresses, port, faultOf);
      for (const place of places) {
        const settings = backendFields.of(options, familyOf(place.address));
        const backend: Backend = { ...NOWHERE, ...place, ...common, ...settings, ...weighed };
        const key = endpointKey(backend);
        for (const draft of wanting) add(draft, key, backend);
      }
      const reasons = [...faults.map((fault) => explain(fault, task, port)), port.unresolved ?? []].flat();
      if (reasons.length === 0 || wanting.length === 0) return null;
      for (const draft of wanting) draft.lack ??= reasons.join('; ');
      const part = places.length > 0 ? 'is a backend by some of its addresses only' : 'is no backend';
      return `${app.id} ${port.at}: task ${task.id} ${part}: ${reasons.join('; ')}`;
    },
    finish: () => ({
      claims: [...drafts.values()].map((draft) => toClaim(app, draft)),
      warnings: [...drafts.values()].flatMap((draft) => leftOut(app, draft)),
    }),
  };
}

/** What ejection needs to know of a backend, where that differs from the default. */
function aboutEjection({ agent }: Task, { eject }: PortOptions): Pick<Backend, 'agent' | 'eject'> {
  if (agent === undefined && eject) return NOTHING;
  return { ...(agent !== undefined && { agent: agent.address }), ...(!eject && { eject: false }) };
}

const NOTHING = {};

/** The base of every backend: each is a copy with its own fields. */
const NOWHERE: Backend = compact({
  address: '',
  port: 0,
  app: '',
  task: '',
  reason: '',
  drainSeconds: 0,
  ...backendFields.unset,
});
const NONE: readonly string[] = [];
const EMPTY: ReadonlyMap<BackendKey, Backend> = new Map();

type Place = Endpoint & Pick<Backend, 'hostPort'>;

/** Why a canonical address cannot be a backend's; null when it can. */
type FaultOf = (address: string) => string | null;

/** An address that cannot be a backend's, and why. */
interface Fault {
  readonly address: string;
  readonly is: string;
}

/**
 * The endpoints at which this host reaches a task's port, and the addresses that cannot be a backend's. Containers of this
 * host are reached at their own address, since IPVS bypasses the DNAT of a host port.
 */
function placesOn(
  localAddresses: ReadonlySet<string>,
  { endpoints, local = [] }: TaskPort,
  faultOf: FaultOf,
): { readonly places: readonly Place[]; readonly faults: readonly Fault[] } {
  const places: Place[] = [];
  const faults: Fault[] = [];
  const usable = local.length === 0 ? local : local.filter(({ address }) => faultOf(address) === null);
  for (const { address: text, port } of endpoints) {
    const address = canonicalAddress(text);
    // Port 0: Mesos has not allocated one yet. dcos-net drops these too.
    if (address === null || port < 1) continue;
    const is = faultOf(address);
    if (is !== null) {
      faults.push({ address, is });
      continue;
    }
    const own = localAddresses.has(address) ? sameFamily(usable, address) : undefined;
    places.push(own === undefined ? { address, port } : { ...own, hostPort: { address, port } });
  }
  return { places, faults };
}

function explain({ address, is }: Fault, { agent }: Task, { backendAddress }: TaskPort): string {
  if (backendAddress !== 'agent') return `its address ${address} is ${is}`;
  return agent?.address === address && agent.host !== address
    ? `the agent's host name ${agent.host} resolves to ${address}, ${is}`
    : `the agent's address ${address} is ${is}`;
}

/** The local endpoint must have the address family that other hosts use: only then do all hosts have the same VIP. */
function sameFamily(local: readonly Endpoint[], as: string): Endpoint | undefined {
  for (const { address: text, port } of local) {
    const address = canonicalAddress(text);
    if (address !== null && port > 0 && familyOf(address) === familyOf(as)) return { address, port };
  }
  return undefined;
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

/** Of two backends with the same address and port, the one with the greater weight; in a tie all hosts choose the same one. */
export function preferred(a: Backend, b: Backend): Backend {
  if (a.weight !== b.weight) return a.weight > b.weight ? a : b;
  return `${a.app} ${a.task}` <= `${b.app} ${b.task}` ? a : b;
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

/** Warns where ports of one app ask for different settings of a VIP: the kernel has one value, that of the first port. */
function differentSettings(
  app: App,
  { options, at, target }: Draft,
  port: Port,
  others: PortOptions,
): readonly string[] {
  const differ = sharedOptionsThatDiffer(options, others);
  if (differ.length === 0) return NONE;
  const [decides, asked] = [optionsText(differ, options), optionsText(differ, others)];
  // Two ports at the same path are in two definitions.
  const where = at.startsWith(`${port.at}.`) ? ['in another source too', 'the first source'] : ['here', at];
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
