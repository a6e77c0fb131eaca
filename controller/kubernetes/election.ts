import { z } from 'zod';
import { withJitter } from '../backoff.ts';
import { ControllerError, messageOf } from '../errors.ts';
import { within } from '../http/deadline.ts';
import { required } from '../input/schema-messages.ts';
import type { Clock, Log } from '../ports.ts';
import { ApiFailure } from './api-failure.ts';
import type { KubernetesClient } from './client.ts';
import { apiVersion, collectionPath, LEASES, objectPath } from './resources.ts';
import { retryAfterOf } from './throttle.ts';

/** The Lease that candidates compete for, and this candidate. */
export interface ElectionOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Identifies this process among the candidates. */
  readonly identity: string;
  readonly random: () => number;
  /** Called after each attempt to get the lease with the reason if it could not be read or written, otherwise null. Must not throw. */
  readonly attempted?: (why: string | null) => void;
}

/** Works as the leader until `signal` aborts, with a client that refuses to write once the lease may have run out. */
export type Lead = (signal: AbortSignal, client: KubernetesClient) => Promise<void>;

/** The values of client-go: a leader that cannot renew stops well before others may take over. */
const LEASE_SECONDS = 15;
/** A longer duration in a lease counts as this. */
const MAX_LEASE_SECONDS = 60;
const MAX_INT32 = 2 ** 31 - 1;
const RENEW_WITHIN_MS = 10_000;
const RETRY_MS = 2_000;
const JITTER = 1.2;
/** Short, since releasing the lease is only a courtesy to the next leader. */
const RELEASE_MS = 2_000;

const leaseSchema = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  // Read leniently: a field that cannot be used must not keep every candidate from leading for ever.
  spec: z
    .looseObject({
      // Held by an unknown process: the lease expires unless it changes.
      holderIdentity: z.string().nullish().catch('an unreadable holder'),
      leaseDurationSeconds: z.number().nullish().catch(null),
      acquireTime: z.iso.datetime({ offset: true }).nullish().catch(null),
      leaseTransitions: z
        .int()
        .min(0)
        .max(MAX_INT32 - 1)
        .nullish()
        .catch(null),
    })
    .nullish()
    .catch(null),
});

/**
 * How long a lease of this duration holds without a change: at least as long as ours, so that a wrong number does not make two
 * leaders, and at most `MAX_LEASE_SECONDS`.
 */
function validMs(seconds: number | null | undefined): number {
  return Math.min(MAX_LEASE_SECONDS, Math.max(LEASE_SECONDS, seconds ?? 0)) * 1_000;
}

type Lease = z.infer<typeof leaseSchema>;

/**
 * Elects one of several processes as the leader through a Lease, like client-go's leaderelection.
 *
 * Runs `lead` while this process is the leader, with a client that refuses to write once the lease may have run out: a process that
 * was suspended must not write before it notices. Its signal aborts ten seconds after the last successful renewal was sent, or as
 * soon as another process holds the lease; the next attempt starts when `lead` has ended. An error of `lead` is logged and ends
 * its term. Resolves when `signal` aborts, after releasing the lease so that the next leader need not wait.
 *
 * Does not compare the clocks of hosts: a lease has expired if it did not change for its whole duration by the local monotonic
 * clock.
 */
export async function elect(options: ElectionOptions, lead: Lead, signal: AbortSignal): Promise<void> {
  const { clock, log, name, random, attempted } = options;
  const candidate = new Candidate(options);
  let logged = '';
  while (!signal.aborted) {
    let pauseMs = RETRY_MS;
    try {
      const acquire = (limited: AbortSignal) => candidate.acquire(limited);
      if ((await within(RENEW_WITHIN_MS, clock, signal, acquire)) === 'ours') {
        log.info('elected', { lease: name });
        attempted?.(null);
        await leadWhileHeld(candidate, options, lead, signal);
      }
      logged = '';
      attempted?.(null);
    } catch (error) {
      pauseMs = Math.max(pauseMs, retryAfterOf(error) ?? 0);
      if (!signal.aborted) attempted?.(messageOf(error));
      if (!signal.aborted && messageOf(error) !== logged) {
        logged = messageOf(error);
        log.warn('cannot acquire the lease', { lease: name, error: logged });
      }
    }
    await clock.sleep(withJitter(pauseMs, random, JITTER), signal);
  }
}

async function leadWhileHeld(
  candidate: Candidate,
  options: ElectionOptions,
  lead: Lead,
  signal: AbortSignal,
): Promise<void> {
  const { log, name } = options;
  const over = new AbortController();
  const end = () => over.abort();
  signal.addEventListener('abort', end, { once: true });
  const leading = Promise.resolve(over.signal)
    .then((leading) => lead(leading, whileHeld(options.client, candidate)))
    .catch((error: unknown) => {
      if (!over.signal.aborted) log.error('work as leader failed', { lease: name, error: messageOf(error) });
    })
    .finally(end);
  const why = await renewUntilLost(candidate, options, over.signal);
  end();
  signal.removeEventListener('abort', end);
  await leading;
  await candidate.release();
  log.info('no longer elected', { lease: name, ...(why !== null && { reason: why }) });
}

/** A client that writes only while the lease is held for certain. */
function whileHeld(client: KubernetesClient, candidate: Candidate): KubernetesClient {
  const beforeSending = () => {
    if (candidate.mayWrite) return;
    throw new ControllerError(
      'source',
      'not written: the lease was not renewed in time, another process may lead',
    );
  };
  return {
    get server() {
      return client.server;
    },
    namespace: client.namespace,
    watch: (...request) => client.watch(...request),
    call: (method, path, options, signal) =>
      client.call(method, path, method === 'GET' ? options : { ...options, beforeSending }, signal),
  };
}

/** Renews the lease until it is lost. Resolves with the reason, or with null when `signal` aborts. */
async function renewUntilLost(
  candidate: Candidate,
  { clock }: ElectionOptions,
  signal: AbortSignal,
): Promise<string | null> {
  let failure = '';
  let pauseMs = RETRY_MS;
  for (;;) {
    await clock.sleep(Math.min(pauseMs, candidate.leftMs), signal);
    if (signal.aborted) return null;
    if (candidate.leftMs <= 0) return `it was not renewed within ${RENEW_WITHIN_MS / 1_000} s${failure}`;
    pauseMs = RETRY_MS;
    try {
      const outcome = await within(candidate.leftMs, clock, signal, (limited) => candidate.acquire(limited));
      if (outcome === 'held') return 'another process holds the lease';
      failure = outcome === 'ours' ? '' : ': another process wrote it at the same time';
    } catch (error) {
      failure = `: ${messageOf(error)}`;
      pauseMs = Math.max(pauseMs, retryAfterOf(error) ?? 0);
    }
  }
}

/** `held`: another process holds the lease. `raced`: another process wrote it between our read and our write. */
type Outcome = 'ours' | 'held' | 'raced';

class Candidate {
  readonly #options: ElectionOptions;
  /** The last seen spec of the lease, and when it was first seen. */
  #seen: { readonly spec: string; readonly at: number } | null = null;
  /** When the last successful write was sent. Other processes see the lease change later, so their count starts later. */
  #renewed: { readonly monotonic: number; readonly epoch: number; readonly server: string } | null = null;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  /** For how long this process may act as the leader without a renewal. */
  get leftMs(): number {
    if (this.#renewed === null) return 0;
    return RENEW_WITHIN_MS - (this.#options.clock.monotonic() - this.#renewed.monotonic);
  }

  /** Whether no other process can be the leader, even if this machine was suspended or the kubeconfig names another server. */
  get mayWrite(): boolean {
    // The monotonic clock stands still meanwhile. A clock that was set forward only delays writes until the next renewal.
    const passed = this.#options.clock.epoch() - (this.#renewed?.epoch ?? 0);
    const isSameServer = this.#options.client.server === this.#renewed?.server;
    return isSameServer && this.leftMs > 0 && passed < RENEW_WITHIN_MS;
  }

  /** Acquires or renews the lease. Rejects if the API server cannot be reached or refuses. */
  async acquire(signal: AbortSignal): Promise<Outcome> {
    const { client, clock, namespace, identity } = this.#options;
    const lease = await this.#read(signal);
    const now = clock.monotonic();
    if (lease === null) {
      const body = this.#body({ leaseTransitions: 0, acquireTime: microTime(clock.epoch()) });
      return await this.#won(client.call('POST', collectionPath(LEASES, namespace), { body }, signal));
    }
    // Only the spec: a change of labels is not a renewal.
    const spec = JSON.stringify(lease.spec ?? null);
    if (this.#seen?.spec !== spec) this.#seen = { spec, at: now };
    const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime } = lease.spec ?? {};
    const ours = holderIdentity === identity;
    const endsAt = (this.#seen?.at ?? now) + validMs(leaseDurationSeconds);
    if (holderIdentity && !ours && now < endsAt) return 'held';

    const transitions = (leaseTransitions ?? 0) + (ours ? 0 : 1);
    const since = ours && acquireTime ? acquireTime : microTime(clock.epoch());
    const body = this.#body({ leaseTransitions: transitions, acquireTime: since }, lease);
    return await this.#won(client.call('PUT', this.#path(), { body }, signal));
  }

  /** Releases the lease if this process holds it. A failure only makes the next leader wait for the lease to expire. */
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

  /** Awaits a write of the lease. Losing a race against another candidate is not an error. */
  async #won(write: Promise<unknown>): Promise<Outcome> {
    const { client, clock } = this.#options;
    const sent = { monotonic: clock.monotonic(), epoch: clock.epoch(), server: client.server };
    try {
      const { spec } = required(leaseSchema, await write, 'a Lease');
      this.#seen = { spec: JSON.stringify(spec ?? null), at: sent.monotonic };
      this.#renewed = sent;
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

/** Formats a time with microseconds, as Leases and Events require. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
