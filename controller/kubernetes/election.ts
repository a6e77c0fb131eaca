import { z } from 'zod';
import { messageOf } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { ApiFailure } from './api-failure.ts';
import type { KubernetesClient } from './client.ts';
import { apiVersion, collectionPath, LEASES, objectPath } from './resources.ts';

export interface ElectionOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Who we are: unique among the candidates. */
  readonly identity: string;
  readonly random: () => number;
  /** Told after each attempt to get the lease: why it cannot be read or written, or null. Must not throw. */
  readonly attempted?: (why: string | null) => void;
}

/** As client-go has them: a leader that cannot renew stops well before others may take over. */
const LEASE_SECONDS = 15;
const RENEW_WITHIN_MS = 10_000;
const RETRY_MS = 2_000;

const leaseSchema = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  spec: z
    .object({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.int().nullish(),
      acquireTime: z.string().nullish(),
      renewTime: z.string().nullish(),
      leaseTransitions: z.int().nullish(),
    })
    .nullish(),
});

type Lease = z.infer<typeof leaseSchema>;

/**
 * Has one of several processes lead, by a Lease that it renews. `lead` runs while we do; its signal aborts when the
 * lease could not be renewed in time, and the next attempt begins when it has ended. Resolves when `signal` aborts,
 * and hands the lease back then, so that another one need not wait for its end.
 *
 * Clocks of hosts are not compared: a lease has ended when it was not seen to change for its whole duration.
 */
export async function elect(
  options: ElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, name, random, attempted } = options;
  const candidate = new Candidate(options);
  let complaint = '';
  while (!signal.aborted) {
    try {
      if (await candidate.acquire(signal)) {
        log.info('elected', { lease: name });
        attempted?.(null);
        await leadWhileHeld(candidate, options, lead, signal);
        log.info('no longer elected', { lease: name });
      }
      complaint = '';
      attempted?.(null);
    } catch (error) {
      if (!signal.aborted) attempted?.(messageOf(error));
      if (!signal.aborted && messageOf(error) !== complaint) {
        complaint = messageOf(error);
        log.warn('the lease cannot be had', { lease: name, error: complaint });
      }
    }
    await clock.sleep(RETRY_MS * (1 + 0.5 * random()), signal);
  }
}

async function leadWhileHeld(
  candidate: Candidate,
  { clock }: ElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const lost = new AbortController();
  const leading = lead(AbortSignal.any([signal, lost.signal])).finally(() => lost.abort());
  let renewedAt = clock.monotonic();
  while (!signal.aborted && !lost.signal.aborted) {
    await clock.sleep(RETRY_MS, AbortSignal.any([signal, lost.signal]));
    if (signal.aborted || lost.signal.aborted) break;
    const until = AbortSignal.timeout(RENEW_WITHIN_MS);
    const renewed = await candidate.acquire(AbortSignal.any([signal, until])).catch(() => null);
    if (renewed === true) renewedAt = clock.monotonic();
    else if (renewed === false || clock.monotonic() - renewedAt >= RENEW_WITHIN_MS) lost.abort();
  }
  try {
    await leading;
  } finally {
    await candidate.release();
  }
}

class Candidate {
  readonly #options: ElectionOptions;
  /** The lease as it was last seen, and when it was first seen so. */
  #seen: { readonly lease: Lease; readonly at: number } | null = null;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  /** Takes or renews the lease; false while someone else holds it. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    const { client, clock, namespace, identity } = this.#options;
    const lease = await this.#read(signal);
    const now = clock.monotonic();
    if (lease === null) {
      const body = this.#body({ leaseTransitions: 0, acquireTime: microTime(clock.epoch()) });
      return await this.#won(client.call('POST', collectionPath(LEASES, namespace), { body }, signal));
    }
    if (this.#seen?.lease.metadata.resourceVersion !== lease.metadata.resourceVersion) {
      this.#seen = { lease, at: now };
    }
    const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime } = lease.spec ?? {};
    const ours = holderIdentity === identity;
    const endsAt = (this.#seen?.at ?? now) + (leaseDurationSeconds ?? LEASE_SECONDS) * 1_000;
    if (holderIdentity && !ours && now < endsAt) return false;

    const transitions = (leaseTransitions ?? 0) + (ours ? 0 : 1);
    const since = ours && acquireTime ? acquireTime : microTime(clock.epoch());
    const body = this.#body({ leaseTransitions: transitions, acquireTime: since }, lease);
    return await this.#won(client.call('PUT', this.#path(), { body }, signal));
  }

  /** Hands the lease back, where it is ours; what goes wrong here only costs time. */
  async release(): Promise<void> {
    const { client, identity } = this.#options;
    const limit = AbortSignal.timeout(2_000);
    try {
      const lease = await this.#read(limit);
      if (lease?.spec?.holderIdentity !== identity) return;
      const { leaseTransitions, acquireTime } = lease.spec;
      const kept = { leaseTransitions: leaseTransitions ?? 0, acquireTime: acquireTime ?? microTime(0) };
      const body = this.#body({ ...kept, holderIdentity: '', leaseDurationSeconds: 1 }, lease);
      await client.call('PUT', this.#path(), { body }, limit);
    } catch {
      // It ends by itself.
    }
  }

  async #read(signal: AbortSignal): Promise<Lease | null> {
    try {
      return leaseSchema.parse(await this.#options.client.call('GET', this.#path(), {}, signal));
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404 && error.reason === 'NotFound') return null;
      throw error;
    }
  }

  /** Another candidate was faster: that is no failure. */
  async #won(write: Promise<unknown>): Promise<boolean> {
    try {
      const lease = leaseSchema.parse(await write);
      this.#seen = { lease, at: this.#options.clock.monotonic() };
      return true;
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 409) return false;
      throw error;
    }
  }

  #body(spec: object, before?: Lease): object {
    const { namespace, name, identity, clock } = this.#options;
    const version = before === undefined ? {} : { resourceVersion: before.metadata.resourceVersion };
    const ours = {
      holderIdentity: identity,
      leaseDurationSeconds: LEASE_SECONDS,
      renewTime: microTime(clock.epoch()),
    };
    const { kind } = LEASES;
    return {
      apiVersion: apiVersion(LEASES),
      kind,
      metadata: { name, namespace, ...version },
      spec: { ...ours, ...spec },
    };
  }

  #path(): string {
    const { namespace, name } = this.#options;
    return objectPath(LEASES, { namespace, name });
  }
}

/** A time with microseconds, as a Lease has them. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
