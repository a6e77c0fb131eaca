import { loadModule } from '../../fixes.ts';
import { endpointKey } from '../../model/endpoint.ts';
import type { ObservedService } from '../../model/kernel.ts';
import type { AddressedVip, BackendFact, DesiredState, KernelFact } from '../facts.ts';
import { broken, ok, unknown, type Verdict } from '../verdict.ts';
import { repairOf } from './repair.ts';

/** Checks that the kernel has the service and its backends as desired. */
export function checkKernel({
  vip,
  desired,
  kernel,
}: {
  readonly vip: AddressedVip;
  readonly desired: DesiredState;
  readonly kernel: KernelFact;
}): Verdict[] {
  if ('error' in kernel) {
    if (kernel.missing) return [broken('ipvs-missing', kernel.error, loadModule('ip_vs'))];
    return [unknown(`the kernel's table cannot be read: ${kernel.error}; run as root`)];
  }
  const { service } = kernel;
  if (service === null) return [missing(vip, desired)];
  return [differing(vip.backends, service, repairOf(desired)) ?? ok(inWords(service))];
}

function missing({ id, state, reason }: AddressedVip, desired: DesiredState): Verdict {
  const found = `the kernel has no service ${id}`;
  if (desired.from.kind === 'controller' && desired.from.dryRun) {
    return broken(
      'dry-run',
      `${found}: the controller runs with --dry-run`,
      'start the controller without --dry-run',
    );
  }
  if (state === 'pending' && reason !== null && desired.from.kind === 'controller') {
    return broken(
      'write-failed',
      `${found}: ${reason}`,
      'it is retried; fix what the kernel reports, for which marathon-ipvs doctor lists commands',
    );
  }
  return broken('service-missing', found, repairOf(desired));
}

function differing(
  wanted: readonly BackendFact[],
  { backends }: ObservedService,
  fix: string,
): Verdict | null {
  const inRotation = wanted.filter(({ weight }) => weight > 0);
  const lacking = inRotation.filter((each) => !backends.has(endpointKey(each)));
  if (lacking.length > 0) {
    return broken(
      'destination-missing',
      `the kernel lacks ${keysOf(lacking)} of ${inRotation.length} backends`,
      fix,
    );
  }
  const idle = inRotation.filter((each) => backends.get(endpointKey(each))?.weight === 0);
  if (idle.length > 0) {
    return broken('destination-weight', `weight 0 in the kernel, not as desired: ${keysOf(idle)}`, fix);
  }
  const otherwise = inRotation.filter((each) => backends.get(endpointKey(each))?.forward !== each.forward);
  if (otherwise.length > 0) {
    const forward = backends.get(endpointKey(otherwise[0] ?? { address: '', port: 0 }))?.forward;
    return broken(
      'destination-forwarding',
      `${keysOf(otherwise)}: ${forward} in the kernel, desired ${otherwise[0]?.forward}`,
      fix,
    );
  }
  const wantedKeys = new Set(wanted.map(endpointKey));
  const unwanted = [...backends.values()].filter(
    (each) => each.weight > 0 && !wantedKeys.has(endpointKey(each)),
  );
  if (unwanted.length === 0) return null;
  return broken(
    'destination-unwanted',
    `connections also go to ${keysOf(unwanted)}, which no app declares`,
    fix,
  );
}

const MAX_NAMED = 4;

function keysOf(backends: readonly { readonly address: string; readonly port: number }[]): string {
  const more = backends.length > MAX_NAMED ? ` and ${backends.length - MAX_NAMED} more` : '';
  return `${backends.slice(0, MAX_NAMED).map(endpointKey).join(', ')}${more}`;
}

function inWords({ backends, scheduler }: ObservedService): string {
  const weights = [...backends.values()].filter(({ weight }) => weight > 0).length;
  return `service with scheduler ${scheduler}, ${weights} of ${backends.size} backends with a weight above 0, as desired`;
}
