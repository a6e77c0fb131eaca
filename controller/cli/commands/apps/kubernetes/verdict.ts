import type { ForecastVip } from '../../../../desired/forecast.ts';
import type { MarathonAppStatus } from '../../../../kubernetes/marathon-app.ts';

/** What the status of an object says about one generation. */
export type Verdict =
  /** `isObserved`: a controller has processed this generation. `lacksEndpoints`: only endpoints are missing. */
  | {
      readonly state: 'waiting';
      readonly isObserved: boolean;
      readonly lacksEndpoints?: boolean;
      readonly why: string;
    }
  /** `note`: a problem that remains. */
  | { readonly state: 'done'; readonly note: string | null }
  | { readonly state: 'rejected'; readonly why: string };

/** Judges the status, which describes the kernel of the elected controller's host. `vips`: those that the app must have. */
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
    return { state: 'waiting', isObserved: false, why: 'no controller has processed it yet' };
  }
  if (accepted.status === 'False') return { state: 'rejected', why: reasonOf(accepted) };
  const note = accepted.reason === 'PartlyRejected' ? reasonOf(accepted) : null;
  if (vips.length === 0) return { state: 'done', note };
  // The controller may have read the object after the pass that its status describes.
  const reported = status.vips ?? [];
  if (!vips.every((vip) => reported.some((one) => isSame(one, vip))) || reported.length > vips.length) {
    return {
      state: 'waiting',
      isObserved: true,
      why: 'accepted; waiting for the next pass of the controller',
    };
  }
  const programmed = find('Programmed');
  if (programmed?.status === 'True') return { state: 'done', note };
  if (programmed?.reason === 'Conflict') return { state: 'rejected', why: reasonOf(programmed) };
  // A broken reference explains why nothing can be programmed.
  const references = find('ResolvedRefs');
  const cause = references?.status === 'False' ? references : programmed;
  const why = cause === undefined ? 'accepted' : `accepted, not programmed: ${reasonOf(cause)}`;
  return { state: 'waiting', isObserved: true, lacksEndpoints: LACKING.has(cause?.reason ?? ''), why };
}

/** Reasons that the EndpointSlices explain in more detail. */
const LACKING: ReadonlySet<string> = new Set(['NoEndpoints', 'NoReadyEndpoints', 'PortMismatch']);

type ReportedVip = NonNullable<MarathonAppStatus['vips']>[number];

/** Whether no VIP has a backend in rotation, and nothing else is wrong. */
export function lacksEndpoints(verdict: Verdict, { backends }: MarathonAppStatus): boolean {
  if (verdict.state === 'waiting') return verdict.lacksEndpoints === true;
  return verdict.state === 'done' && /^0\/[1-9]/.test(backends ?? '');
}

/** Compares names without their zone, since the controllers may be configured with another one. */
function isSame({ name, protocol, port }: ReportedVip, vip: ForecastVip): boolean {
  if (protocol !== vip.protocol || port !== vip.port) return false;
  return vip.name === null
    ? name === (vip.ipv4 ?? vip.ipv6)
    : name.startsWith(`${vip.name}.${vip.framework}.`);
}

/** `NoEndpoints: no endpoint yet: web.marathon…`. */
export function reasonOf({ reason, message }: { readonly reason: string; readonly message: string }): string {
  return message === '' ? reason : `${reason}: ${message}`;
}

/** `1 of 2 backends in rotation`, on the controller's own host; null if there are none, or the status has no number. */
export function backendsText({ backends }: MarathonAppStatus): string | null {
  const [, rotating, all] = /^(\d+)\/(\d+)$/.exec(backends ?? '') ?? [];
  return all === undefined || all === '0'
    ? null
    : `${rotating} of ${all} ${all === '1' ? 'backend' : 'backends'} in rotation`;
}
