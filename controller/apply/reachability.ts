import { ControllerError, messageOf } from '../errors.ts';
import type { Reachability, ReachabilityReport } from '../ports.ts';
import type { DummyInterface } from './dummy-interface.ts';
import type { PacketFilter } from './packet-filter.ts';
import type { Sysctls } from './sysctls.ts';

export interface ReachabilityParts {
  readonly sysctls: Sysctls;
  readonly filter: PacketFilter;
  /** Whether the filter is wanted; where it is not, a table of ours that is still there goes. */
  readonly filtering: boolean;
  readonly dummy: DummyInterface;
}

const UNFILTERED = { ipv4: false, ipv6: false } as const;

/**
 * Kernel settings, packet filter, interface and routes, in this order: an address is guarded before it is reachable, and
 * loses its guard after it has become unreachable.
 */
export class HostReachability implements Reachability {
  readonly #parts: ReachabilityParts;

  constructor(parts: ReachabilityParts) {
    this.#parts = parts;
  }

  async ensure(addresses: readonly string[]): Promise<ReachabilityReport> {
    const { sysctls, filter, filtering, dummy } = this.#parts;
    const settings = await sysctls.ensure({ ipv6: await dummy.reachesOthers('ipv6') });
    const filtered = filtering ? await filter.ensure(addresses) : await unfiltered(filter);
    // Without conntrack the filter does not see what IPVS sends on.
    const translates = !settings.unmet.includes('net.ipv4.vs.conntrack');
    const translatesOwn = translates ? filtered.translatesOwn : UNFILTERED;
    const carried = await dummy.ensure({ addresses, translatesOwn });
    return {
      changed: [...settings.changed, ...filtered.changed, ...carried.changed],
      problems: [...filtered.problems, ...carried.problems],
      advice: [...settings.advice, ...filtered.advice, ...carried.advice],
    };
  }

  async repair(): Promise<readonly string[]> {
    const { sysctls, filter, dummy } = this.#parts;
    const changed: string[] = [];
    const failures: string[] = [];
    for (const part of [sysctls, filter, dummy]) {
      try {
        changed.push(...(await part.repair()));
      } catch (error) {
        // What keeps one of them from being put right says nothing of the others.
        failures.push(messageOf(error));
      }
    }
    // What was done counts; what still fails does so again in a second.
    if (changed.length === 0 && failures.length > 0) throw new ControllerError('kernel', failures.join('; '));
    return changed;
  }

  async exists(): Promise<readonly string[]> {
    const { filter, dummy } = this.#parts;
    return [
      ...((await dummy.exists()) ? [dummy.description] : []),
      ...((await filter.exists()) ? [filter.description] : []),
    ];
  }

  async remove(): Promise<readonly string[]> {
    const { filter, dummy } = this.#parts;
    return [
      ...((await dummy.remove()) ? [dummy.description] : []),
      ...((await filter.remove()) ? [filter.description] : []),
    ];
  }

  close(): void {
    this.#parts.filter.close();
    this.#parts.dummy.close();
  }
}

async function unfiltered(filter: PacketFilter) {
  const removed = await filter.remove().catch(() => false);
  const changed = removed ? [`${filter.description} removed (--packet-filter none)`] : [];
  return { changed, problems: [], advice: [], translatesOwn: UNFILTERED };
}
