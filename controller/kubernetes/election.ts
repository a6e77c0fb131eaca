import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { within } from '../http/deadline.ts';
import type { Clock, Log } from '../ports.ts';
import { required } from '../schema-messages.ts';
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
const JITTER = 1.2;
/** Handing the lease back only saves others time. */
const RELEASE_MS = 2_000;

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
 * Has one of several processes lead, by a Lease that it renews, as client-go's leaderelection does. `lead` runs while we
 * do; its signal aborts ten seconds after the last renewal was sent, or as soon as someone else is seen to hold the lease,
 * and the next attempt begins when it has ended. What `lead` throws is logged, and ends its turn. Resolves when `signal`
 * aborts, and hands the lease back then, so that another one need not wait for its end.
 *
 * Clocks of hosts are not compared: a lease has ended when it was not seen to change for its whole duration, by our
 * monotonic clock.
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
      const acquire = (limited: AbortSignal) => candidate.acquire(limited);
      if ((await within(RENEW_WITHIN_MS, clock, signal, acquire)) === 'ours') {
        log.info('elected', { lease: name });
        attempted?.(null);
        await leadWhileHeld(candidate, options, lead, signal);
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
    await clock.sleep(RETRY_MS * (1 + JITTER * random()), signal);
  }
}

async function leadWhileHeld(
  candidate: Candidate,
  options: ElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { log, name } = options;
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener('abort', end, { once: true });
  const leading = Promise.resolve(over.signal)
    .then(lead)
    .catch((error: unknown) => {
      if (!over.signal.aborted) log.error('leading failed', { lease: name, error: messageOf(error) });
    })
    .finally(end);
  const why = await renewUntilLost(candidate, options, over.signal);
  end();
  signal.removeEventListener('abort', end);
  await leading;
  await candidate.release();
  log.info('no longer elected', { lease: name, ...(why !== null && { reason: why }) });
}

/** Resolves with why the lease is lost; with null once `signal` aborts. */
async function renewUntilLost(
  candidate: Candidate,
  { clock }: ElectionOptions,
  signal: AbortSignal,
): Promise<string | null> {
  let failure = '';
  for (;;) {
    const left = () => candidate.renewedAt + RENEW_WITHIN_MS - clock.monotonic();
    await clock.sleep(Math.min(RETRY_MS, left()), signal);
    if (signal.aborted) return null;
    if (left() <= 0) return `it was not renewed within ${RENEW_WITHIN_MS / 1_000} s${failure}`;
    try {
      const outcome = await within(left(), clock, signal, (limited) => candidate.acquire(limited));
      if (outcome === 'held') return 'another holds it';
      failure = outcome === 'ours' ? '' : ': others wrote it at the same time';
    } catch (error) {
      failure = `: ${messageOf(error)}`;
    }
  }
}

/** `held`: someone else has the lease; `raced`: it was written by someone else between our look and our write. */
type Outcome = 'ours' | 'held' | 'raced';

class Candidate {
  readonly #options: ElectionOptions;
  /** What was last seen of the lease, and when it was first seen so. */
  #seen: { readonly spec: string; readonly at: number } | null = null;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  /** When the last write by which the lease became or stayed ours was sent; others count from later. */
  get renewedAt(): number {
    return this.#renewedAt;
  }

  /** Takes or renews the lease. Rejects when the API server does not answer as it should. */
  async acquire(signal: AbortSignal): Promise<Outcome> {
    const { client, clock, namespace, identity } = this.#options;
    const lease = await this.#read(signal);
    const now = clock.monotonic();
    if (lease === null) {
      const body = this.#body({ leaseTransitions: 0, acquireTime: microTime(clock.epoch()) });
      return await this.#won(client.call('POST', collectionPath(LEASES, namespace), { body }, signal));
    }
    // Of the spec alone: who labels the lease does not renew it.
    const spec = JSON.stringify(lease.spec ?? null);
    if (this.#seen?.spec !== spec) this.#seen = { spec, at: now };
    const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime } = lease.spec ?? {};
    const ours = holderIdentity === identity;
    const endsAt = (this.#seen?.at ?? now) + (leaseDurationSeconds ?? LEASE_SECONDS) * 1_000;
    if (holderIdentity && !ours && now < endsAt) return 'held';

    const transitions = (leaseTransitions ?? 0) + (ours ? 0 : 1);
    const since = ours && acquireTime ? acquireTime : microTime(clock.epoch());
    const body = this.#body({ leaseTransitions: transitions, acquireTime: since }, lease);
    return await this.#won(client.call('PUT', this.#path(), { body }, signal));
  }

  /** Hands the lease back, where it is ours; what goes wrong here only costs time. */
  async release(): Promise<void> {
    const { client, clock, identity } = this.#options;
    const { signal } = new AbortController();
    const handBack = async (limited: AbortSignal): Promise<void> => {
      const lease = await this.#read(limited);
      if (lease?.spec?.holderIdentity !== identity) return;
      const { leaseTransitions, acquireTime } = lease.spec;
      const kept = { leaseTransitions: leaseTransitions ?? 0, acquireTime: acquireTime ?? microTime(0) };
      const body = this.#body({ ...kept, holderIdentity: '', leaseDurationSeconds: 1 }, lease);
      await client.call('PUT', this.#path(), { body }, limited);
    };
    // It ends by itself.
    await within(RELEASE_MS, clock, signal, handBack).catch(() => undefined);
  }

  async #read(signal: AbortSignal): Promise<Lease | null> {
    try {
      return required(
        leaseSchema,
        await this.#options.client.call('GET', this.#path(), {}, signal),
        'a Lease',
      );
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404 && error.reason === 'NotFound') return null;
      throw error;
    }
  }

  /** Another candidate was faster: that is no failure. */
  async #won(write: Promise<unknown>): Promise<Outcome> {
    const sentAt = this.#options.clock.monotonic();
    try {
      const { spec } = required(leaseSchema, await write, 'a Lease');
      this.#seen = { spec: JSON.stringify(spec ?? null), at: sentAt };
      this.#renewedAt = sentAt;
      return 'ours';
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 409) return 'raced';
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
