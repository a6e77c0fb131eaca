import { canonicalAddress, familyOf, unusableAsBackend } from '../address.ts';
import type { PortOptions } from '../label-options.ts';
import {
  type App,
  type Backend,
  type BackendKey,
  type Declared,
  type Endpoint,
  endpointKey,
  type Family,
  type Port,
  type Protocol,
  type Rejection,
  type Task,
  type TaskPort,
} from '../model.ts';
import { backendFields, compact, optionsText, sharedOptionsThatDiffer } from '../setting-fields.ts';
import { weightOf } from './backends.ts';
import type { Claim, ClaimRules } from './claim.ts';
import type { HostContext, PortReading } from './port-reading.ts';
import { familiesOf, type Target } from './target.ts';

/** The claims of one app while its ports and tasks are gone through. */
export interface ClaimBuilder {
  /** Notes what a port of the newest definition asks for; returns warnings. */
  declare(port: Port, reading: PortReading): readonly string[];
  /**
   * Puts a task's port behind the VIPs that its labels ask for, which come into being where only an older version
   * has them; returns a warning when there is something to tell.
   */
  addBackends(task: Task, port: TaskPort, reading: PortReading): string | null;
  finish(): { readonly claims: readonly Claim[]; readonly warnings: readonly string[] };
}

interface Draft {
  readonly key: string;
  readonly target: Target;
  readonly protocol: Protocol;
  /** Where the app asks for it first. */
  readonly port: Port;
  readonly at: string;
  readonly options: PortOptions;
  readonly families: readonly Family[];
  readonly backends: Record<Family, Map<BackendKey, Backend> | undefined>;
  /** Whether an address had to be left out because the VIP cannot have its family. */
  otherFamily: boolean;
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
  // Tasks share the reading of their port, so the way from it to its drafts is gone once.
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
      const part = places.length > 0 ? 'is a backend by some of its addresses only' : 'is no backend';
      return `${app.id} ${port.at}: task ${task.id} ${part}: ${reasons.join('; ')}`;
    },
    finish: () => ({
      claims: [...drafts.values()].map((draft) => toClaim(app, draft)),
      warnings: [...drafts.values()].flatMap((draft) => leftOut(app, draft)),
    }),
  };
}

/** What is known of a backend for when it does not answer; mostly nothing that its address does not tell. */
function aboutEjection({ agent }: Task, { eject }: PortOptions): Pick<Backend, 'agent' | 'eject'> {
  if (agent === undefined && eject) return NOTHING;
  return { ...(agent !== undefined && { agent: agent.address }), ...(!eject && { eject: false }) };
}

const NOTHING = {};

/** What each backend is made of by spreading. */
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

/** Why no backend can be at an address, which must be canonical; null when one can. */
type FaultOf = (address: string) => string | null;

/** An address at which no backend can be, and why. */
interface Fault {
  readonly address: string;
  readonly is: string;
}

/**
 * Where this host reaches a task's port: its own containers directly, since IPVS bypasses the host port's DNAT. Also the
 * addresses at which no backend can be.
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
    // Port 0: Mesos has allocated none; dcos-net drops these too.
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

/** Only a VIP of the other hosts' family is one VIP on all hosts. */
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
    return;
  }
  const backends = draft.backends[family] ?? new Map<BackendKey, Backend>();
  draft.backends[family] = backends;
  const other = backends.get(key);
  backends.set(key, other === undefined ? backend : preferred(other, backend));
}

/** Which of two backends with one address and port counts: the greater weight, and else one that all hosts choose alike. */
export function preferred(a: Backend, b: Backend): Backend {
  if (a.weight !== b.weight) return a.weight > b.weight ? a : b;
  return `${a.app} ${a.task}` <= `${b.app} ${b.task}` ? a : b;
}

function toClaim(app: App, { key, target, protocol, port, at, options, backends }: Draft): Claim {
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
    ...(count === 0 && { withoutBackends: whyNone(app) }),
    at,
    mode: port.mode,
    backendAddress: port.backendAddress,
    ...(port.container !== undefined && { container: port.container }),
  };
  const place = `${app.id} ${app.framework} ${at}`;
  return { key, place, target, protocol, options, declared, backends: { ipv4, ipv6 } };
}

/** Why the tasks of an app put nothing behind a VIP, as far as their states tell. */
function whyNone({ tasks, rejected }: App): string {
  const count = (...states: readonly Task['state'][]) =>
    tasks.reduce((sum, { state }) => (states.includes(state) ? sum + 1 : sum), 0);
  const [running, starting, unreachable] = [
    count('running', 'killing'),
    count('staging'),
    count('unreachable'),
  ];
  const parts = [
    ...(running > 0 ? [`${running} ${running === 1 ? 'runs' : 'run'} without an address for this VIP`] : []),
    ...(starting > 0 ? [`${starting} ${starting === 1 ? 'starts' : 'start'}`] : []),
    ...(unreachable > 0 ? [`${unreachable} ${unreachable === 1 ? 'is' : 'are'} unreachable`] : []),
  ];
  // Of what else is wrong with a task it serves all the same.
  const isLost = ({ at, reason }: Rejection) =>
    /^(tasks|instances)\[/.test(at) && reason.endsWith('is left out');
  const unreadable = rejected.find(isLost);
  if (parts.length === 0 && unreadable !== undefined)
    return `no task can be read: ${unreadable.at} is "${unreadable.value}": ${unreadable.reason}`;
  return parts.length === 0
    ? 'no task runs'
    : `of ${tasks.length === 1 ? '1 task' : `${tasks.length} tasks`}, ${parts.join(', ')}`;
}

/** The kernel has one of each of these settings for a VIP: the app's first port decides. */
function differentSettings(
  app: App,
  { options, at, target }: Draft,
  port: Port,
  others: PortOptions,
): readonly string[] {
  const differ = sharedOptionsThatDiffer(options, others);
  if (differ.length === 0) return NONE;
  const [decides, asked] = [optionsText(differ, options), optionsText(differ, others)];
  // Two ports at one place are of two definitions.
  const where = at.startsWith(`${port.at}.`) ? ['in another source too', 'the first source'] : ['here', at];
  return [
    `${app.id} ${port.at}: ${target.key} has ${asked} ${where[0]}, but ${where[1]} decides: ${decides}`,
  ];
}

/** A VIP that nothing can be behind would otherwise be missing without a word. */
function leftOut(app: App, { at, target, families, backends, otherFamily }: Draft): readonly string[] {
  if (!otherFamily || backends.ipv4 !== undefined || backends.ipv6 !== undefined) return NONE;
  const wanted = families.map((family) => (family === 'ipv4' ? 'IPv4' : 'IPv6')).join(' or ');
  return [`${app.id} ${at}: ${target.key} takes only ${wanted} backends, and its tasks have other addresses`];
}
