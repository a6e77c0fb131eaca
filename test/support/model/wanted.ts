/**
 * What the kernel should have, said a second time and as simply as possible: from the specification (`design.md` section
 * 4 to 6, `vips.md` section 2) and not from the controller's code, over the words of the stories.
 */

import type { NameMemory } from '../../../controller/model/name-memory.ts';
import { type AppSpec, appKey, MEANINGS, type Meaning, placesOf } from './cluster.ts';

/** A service as `ipvsadm -Sn` would print it. */
export interface WantedService {
  readonly address: string;
  readonly settings: string;
  /** `10.0.0.1:31001` -> its weight, in the end. */
  readonly backends: ReadonlyMap<string, number>;
  /** A backend that comes into rotation grows to its weight. */
  readonly grows: boolean;
}

export interface Wanted {
  /** `tcp/11.0.0.1:80` -> the service; those that have a backend in the kernel or could have one. */
  readonly services: ReadonlyMap<string, WantedService>;
  /** `web.marathon`: every name that is declared. */
  readonly names: ReadonlySet<string>;
  /** Of each label that is valid today: its text. Key as {@link labelKey} gives it. */
  readonly valid: ReadonlyMap<string, string>;
  /** Every label, valid or not. */
  readonly labels: ReadonlySet<string>;
}

/** What came before matters in two ways: a name keeps its address, and an invalid label its last valid text. */
export interface Recalled {
  /** `web.marathon` -> its addresses: taken from the controller's memory, which is checked by itself. */
  readonly addresses: NameMemory['addresses'];
  readonly labels: ReadonlyMap<string, string>;
}

/** Where backends do not answer this host, since when. */
export type Silent = ReadonlyMap<string, number>;

const NO_WEIGHT: readonly string[] = ['unhealthy', 'unknown'];
const DEFAULTS = { IPVS_SCHEDULER: 'wlc', IPVS_PERSISTENCE_SECONDS: '0', IPVS_WEIGHT: '1' };
const SCHEDULERS = ['wlc', 'rr', 'sh'];
const FLAGS: Readonly<Record<string, string>> = {
  'sh-port': 'sh-port',
  'sh-port,sh-fallback': 'sh-fallback,sh-port',
};
/** Of IPv4 and of IPv6. */
const NETMASKS: Readonly<Record<string, readonly [string, string]>> = {
  '24': [' -M 255.255.255.0', ''],
  '24/64': [' -M 255.255.255.0', ' -M 64'],
};

export function wantedOf(
  apps: readonly AppSpec[],
  { addresses, labels: last }: Recalled,
  silent: Silent = new Map(),
): Wanted {
  const taken = takenAddresses(apps, addresses);
  const usable = (text: string | undefined): Meaning | undefined => {
    const meaning = MEANINGS[text ?? ''] ?? undefined;
    return meaning !== undefined && 'address' in meaning && taken.has(meaning.address) ? undefined : meaning;
  };
  const labels = [...apps]
    .sort((a, b) => (appKey(a) < appKey(b) ? -1 : 1))
    .flatMap((spec) => spec.vips.map((text, index) => ({ spec, text, key: labelKey(spec, index) })));
  const claims = labels.flatMap(({ spec, text, key }) => {
    const vip = usable(text) ?? usable(last.get(key));
    return vip === undefined ? [] : [{ spec, vip }];
  });

  const services = new Map<string, Draft>();
  for (const { spec, vip } of claims) {
    for (const address of addressesOf(vip, spec.source, addresses))
      for (const protocol of spec.protocols) claim(services, spec, protocol, address, vip.port);
  }
  return {
    services: new Map(
      [...services]
        .filter(([, { backends }]) => backends.size > 0)
        .map(([key, service]) => asTheKernelHasIt(key, answering(service, silent))),
    ),
    names: new Set(claims.flatMap(({ spec, vip }) => ('name' in vip ? `${vip.name}.${spec.source}` : []))),
    valid: new Map(labels.flatMap(({ text, key }) => (usable(text) === undefined ? [] : [[key, text]]))),
    labels: new Set(labels.map(({ key }) => key)),
  };
}

interface Draft extends WantedService {
  readonly backends: Map<string, number>;
}

/** The app that comes first decides about the settings, whether it has tasks or not. */
function claim(
  services: Map<string, Draft>,
  spec: AppSpec,
  protocol: string,
  address: string,
  port: number,
): void {
  const six = address.includes(':');
  const key = `${protocol}/${six ? `[${address}]` : address}:${port}`;
  const settings = settingsOf(spec, six);
  const draft = services.get(key) ?? {
    address,
    settings,
    backends: new Map(),
    grows: growsIn(spec, settings),
  };
  services.set(key, draft);
  addBackends(draft.backends, spec, six);
}

/** Only where the scheduler heeds weights. */
function growsIn({ options }: AppSpec, settings: string): boolean {
  return settings.startsWith('-s wlc') && Number(options['IPVS_SLOW_START_SECONDS'] ?? 0) > 0;
}

/** Of those that do not answer at most half of what is in rotation has weight 0, whoever fell silent first before others. */
function answering(service: Draft, silent: Silent): Draft {
  const inRotation = [...service.backends].filter(([, weight]) => weight > 0).map(([at]) => at);
  const since = (at: string) => silent.get(at) ?? Number.POSITIVE_INFINITY;
  const first = inRotation
    .filter((at) => silent.has(at))
    .sort((a, b) => since(a) - since(b) || (a < b ? -1 : 1));
  const out = first.slice(0, Math.floor(inRotation.length / 2)).map((at) => [at, 0] as const);
  return { ...service, backends: new Map([...service.backends, ...out]) };
}

/**
 * Weights are a hundred times as great where backends grow. A UDP client that goes on sending would keep a backend of weight
 * 0 busy for ever: there it is not in the kernel.
 */
function asTheKernelHasIt(key: string, service: Draft): readonly [string, WantedService] {
  const scale = service.grows ? 100 : 1;
  const backends = [...service.backends].filter(([, weight]) => weight > 0 || !key.startsWith('udp'));
  return [key, { ...service, backends: new Map(backends.map(([at, weight]) => [at, weight * scale])) }];
}

export function labelKey(spec: AppSpec, index: number): string {
  return `${appKey(spec)} VIP_${index}`;
}

/** An IP VIP may be neither an agent nor what a name has. */
function takenAddresses(apps: readonly AppSpec[], addresses: NameMemory['addresses']): ReadonlySet<string> {
  const taken = new Set<string>();
  for (const spec of apps.filter(({ mode }) => mode === 'host')) {
    for (const { place } of spec.tasks)
      for (const at of placesOf(spec, place)) taken.add(at.slice(0, at.lastIndexOf(':')));
  }
  for (const { ipv4, ipv6 } of addresses.values()) taken.add(ipv4 ?? '').add(ipv6 ?? '');
  return taken;
}

function addressesOf(vip: Meaning, framework: string, addresses: NameMemory['addresses']): readonly string[] {
  if ('address' in vip) return [vip.address];
  const { ipv4, ipv6 } = addresses.get(`${vip.name}.${framework}`) ?? {};
  return [ipv4, ipv6].filter((address) => address !== undefined);
}

function settingsOf({ options }: AppSpec, six: boolean): string {
  const { IPVS_SCHEDULER: asked, IPVS_PERSISTENCE_SECONDS: seconds } = { ...DEFAULTS, ...options };
  const scheduler = SCHEDULERS.includes(asked) ? asked : 'wlc';
  const flags = scheduler === 'sh' ? FLAGS[options['IPVS_SCHEDULER_FLAGS'] ?? ''] : undefined;
  const [four = '', other = ''] = NETMASKS[options['IPVS_PERSISTENCE_PREFIX'] ?? ''] ?? [];
  const persistence = Number(seconds) > 0 ? ` -p ${seconds}${six ? other : four}` : '';
  return `-s ${scheduler}${persistence}${flags === undefined ? '' : ` -b ${flags}`}`;
}

function addBackends(backends: Map<string, number>, spec: AppSpec, six: boolean): void {
  const { IPVS_WEIGHT: asked } = { ...DEFAULTS, ...spec.options };
  for (const { place, state, health } of spec.tasks) {
    if (state !== 'running' && state !== 'killing') continue;
    const weight = state === 'killing' || NO_WEIGHT.includes(health) ? 0 : Number(asked);
    for (const at of placesOf(spec, place).filter((endpoint) => endpoint.startsWith('[') === six))
      backends.set(at, Math.max(weight, backends.get(at) ?? 0));
  }
}

/**
 * How long a leaving backend's connections may live on, in milliseconds; null where no task is there any more.
 * The longest counts where several tasks share the place.
 */
export function drainMs(apps: readonly AppSpec[], endpoint: string): number | null {
  const seconds = apps
    .filter((spec) =>
      spec.tasks.some(({ place, state }) => state !== 'gone' && placesOf(spec, place).includes(endpoint)),
    )
    .map(({ options }) => Number(options['IPVS_DRAIN_SECONDS'] ?? 300));
  return seconds.length === 0 ? null : Math.max(...seconds) * 1_000;
}
