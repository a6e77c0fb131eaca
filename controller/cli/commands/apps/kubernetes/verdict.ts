import type { ForecastVip } from '../../../../desired/forecast.ts';
import type { MarathonAppStatus } from '../../../../kubernetes/marathon-app.ts';

/** What the elected controller says of a generation of an object. Pure. */
export type Verdict =
  /** `heard`: it has looked at this generation. `lacksEndpoints`: that alone is missing. */
  | {
      readonly state: 'waiting';
      readonly heard: boolean;
      readonly lacksEndpoints?: boolean;
      readonly why: string;
    }
  /** `note`: what of it is wrong nevertheless. */
  | { readonly state: 'done'; readonly note: string | null }
  | { readonly state: 'rejected'; readonly why: string };

/** `vips`: those that it must have by then. The kernel of the controller's own host is what counts. */
export function verdictOf(
  status: MarathonAppStatus,
  generation: number,
  vips: readonly ForecastVip[],
): Verdict {
  const find = (type: string) =>
    status.conditions?.find(
      (one) => one.type === type && (one.observedGeneration ?? generation) === generation,
    );
  const accepted = find('Accepted');
  if (accepted === undefined) {
    return { state: 'waiting', heard: false, why: 'no controller has looked at it yet' };
  }
  if (accepted.status === 'False') return { state: 'rejected', why: reasonOf(accepted) };
  const note = accepted.reason === 'PartlyRejected' ? reasonOf(accepted) : null;
  if (vips.length === 0) return { state: 'done', note };
  // The controller may have read the object since its last pass, and tell of that pass.
  const told = status.vips ?? [];
  if (!vips.every((vip) => told.some((one) => isSame(one, vip))) || told.length > vips.length) {
    return { state: 'waiting', heard: true, why: 'accepted; not yet in a pass of the controller' };
  }
  const programmed = find('Programmed');
  if (programmed?.status === 'True') return { state: 'done', note };
  if (programmed?.reason === 'Conflict') return { state: 'rejected', why: reasonOf(programmed) };
  // What it refers to is not there, or not as it says: that is why nothing can be programmed.
  const references = find('ResolvedRefs');
  const cause = references?.status === 'False' ? references : programmed;
  const why = cause === undefined ? 'accepted' : `accepted, not programmed: ${reasonOf(cause)}`;
  return { state: 'waiting', heard: true, lacksEndpoints: LACKING.has(cause?.reason ?? ''), why };
}

/** Reasons of which the EndpointSlices themselves tell more. */
const LACKING: ReadonlySet<string> = new Set(['NoEndpoints', 'NoReadyEndpoints', 'PortMismatch']);

type Told = NonNullable<MarathonAppStatus['vips']>[number];

/** Whether no VIP has a backend in rotation, and nothing else is wrong. */
export function lacksEndpoints(verdict: Verdict, { backends }: MarathonAppStatus): boolean {
  if (verdict.state === 'waiting') return verdict.lacksEndpoints === true;
  return verdict.state === 'done' && /^0\/[1-9]/.test(backends ?? '');
}

/** Of a name its zone is left out: the controllers may be told another one than this command. */
function isSame({ name, protocol, port }: Told, vip: ForecastVip): boolean {
  if (protocol !== vip.protocol || port !== vip.port) return false;
  return vip.name === null
    ? name === (vip.ipv4 ?? vip.ipv6)
    : name.startsWith(`${vip.name}.${vip.framework}.`);
}

/** `NoEndpoints: no endpoint yet: web.marathon…`. */
export function reasonOf({ reason, message }: { readonly reason: string; readonly message: string }): string {
  return message === '' ? reason : `${reason}: ${message}`;
}

/** `1 of 2 backends in rotation`, of the controller's own host; null where it has not said, and where there is none. */
export function backendsText({ backends }: MarathonAppStatus): string | null {
  const [, rotating, all] = /^(\d+)\/(\d+)$/.exec(backends ?? '') ?? [];
  return all === undefined || all === '0'
    ? null
    : `${rotating} of ${all} ${all === '1' ? 'backend' : 'backends'} in rotation`;
}
