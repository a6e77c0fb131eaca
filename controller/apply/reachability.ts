import { ControllerError, messageOf } from '../errors.ts';
import type { Reachability, ReachabilityReport } from '../ports.ts';
import type { DummyInterface } from './dummy-interface.ts';
import type { PacketFilter, PacketFilterReport } from './packet-filter.ts';
import type { Sysctls } from './sysctls.ts';

type Common = 'description' | 'ensure' | 'repair' | 'exists' | 'remove' | 'close';

export interface ReachabilityParts {
  readonly sysctls: Pick<Sysctls, 'ensure' | 'repair'>;
  readonly filter: Pick<PacketFilter, Common>;
  /** Whether the filter is wanted. When not, the controller's table is removed if it still exists. */
  readonly filtering: boolean;
  readonly dummy: Pick<DummyInterface, Common | 'reachesOthers'>;
}

const UNFILTERED = { ipv4: false, ipv6: false } as const;

/**
 * Kernel settings, packet filter, interface and routes. The order matters: an address gets its filter rules before it becomes
 * reachable, and loses them after it has become unreachable.
 */
export class HostReachability implements Reachability {
  readonly #parts: ReachabilityParts;
  /** The addresses that have routes and filter rules. */
  #guarded: readonly string[] = [];

  constructor(parts: ReachabilityParts) {
    this.#parts = parts;
  }

  async ensure(addresses: readonly string[]): Promise<ReachabilityReport> {
    const { sysctls, dummy } = this.#parts;
    const settings = await sysctls.ensure({ ipv6: await dummy.reachesOthers('ipv6') });
    const going = this.#guarded.filter((address) => !addresses.includes(address));
    const filtered = await this.#filter([...addresses, ...going]);
    // Without conntrack the filter does not see the packets that IPVS forwards.
    const translates = !settings.unmet.includes('net.ipv4.vs.conntrack');
    const translatesOwn = translates ? filtered.translatesOwn : UNFILTERED;
    const carried = await dummy.ensure({ addresses, translatesOwn });
    const afterwards = going.length === 0 ? filtered : await this.#filter(addresses);
    this.#guarded = addresses;
    return {
      changed: [
        ...settings.changed,
        ...filtered.changed,
        ...carried.changed,
        ...(afterwards === filtered ? [] : afterwards.changed),
      ],
      problems: [...afterwards.problems, ...carried.problems],
      advice: [...settings.advice, ...afterwards.advice, ...carried.advice],
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
        // A failure to restore one of them does not affect the others.
        failures.push(messageOf(error));
      }
    }
    // Failures are retried in a second.
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

  async #filter(addresses: readonly string[]): Promise<PacketFilterReport> {
    const { filter, filtering } = this.#parts;
    if (filtering) return await filter.ensure(addresses);
    const removed = await filter.remove().catch(() => false);
    const changed = removed ? [`${filter.description} removed (--packet-filter none)`] : [];
    return { changed, problems: [], advice: [], translatesOwn: UNFILTERED };
  }
}
