import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { ApiFailure } from '../../kubernetes/api-failure.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { elect, microTime } from '../../kubernetes/election.ts';
import type { Versioned } from '../../kubernetes/listing.ts';
import { type Condition, type MarathonAppStatus, statusSchema } from '../../kubernetes/marathon-app.ts';
import { Reflector } from '../../kubernetes/reflector.ts';
import {
  apiVersion,
  collectionPath,
  EVENTS,
  MARATHON_APPS,
  objectKey,
  objectPath,
} from '../../kubernetes/resources.ts';
import type { Clock, Log } from '../../ports.ts';
import { same } from '../../same.ts';
import { readDeclaration } from '../../source/kubernetes/declaration.ts';
import { Latch } from '../../time.ts';
import type { PassStatus } from '../pass-status.ts';
import { appStatus, type Subject } from './app-status.ts';

export interface StatusWriterOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the MarathonApps; null: all. */
  readonly namespace: string | null;
  /** Who we are: a name of this host. */
  readonly identity: string;
  readonly random: () => number;
}

/** Name of the Lease, in our own namespace. */
export const STATUS_LEASE = 'marathon-ipvs-status';
/** Of the fields that we own. */
const MANAGER = 'marathon-ipvs-status';
/** The status of one object is written again only after this: each write goes to all hosts that watch it. */
const REST_MS = 10_000;
/** How long the leader waits for news at the most. */
const LOOK_MS = 5_000;
/** How long a pass is waited for that knows a change of an object. One that changes nothing for the kernel brings none. */
const PASS_MS = 5_000;

const objectSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    resourceVersion: z.string(),
    uid: z.string(),
    generation: z.int().optional(),
  }),
  // What an older or newer controller wrote and we cannot read counts as nothing.
  status: statusSchema.optional().catch(undefined),
});

interface StatusObject extends Versioned, Subject {
  readonly uid: string;
  readonly status: MarathonAppStatus;
}

/**
 * Writes the status of MarathonApps, where this host is elected to: what this host's own kernel has, after each of
 * its passes. Only what changed is written. A verdict that turns for the worse is an Event too.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #news = new Latch<'pass' | 'object'>();
  readonly #writtenAt = new Map<string, number>();
  /** When the newest generation of an object was learnt of. */
  readonly #learnt = new Map<string, { readonly generation: number | undefined; readonly at: number }>();
  #pass: PassStatus | null = null;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** Takes note of a pass; what follows of it is written later. */
  passed(pass: PassStatus): void {
    this.#pass = pass;
    this.#news.set('pass');
  }

  /** Stands for election, and writes while elected; resolves when `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const election = { ...this.#options, namespace: client.namespace, name: STATUS_LEASE };
    await elect(election, (leading) => this.#lead(leading), signal);
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { client, clock, log, namespace, random } = this.#options;
    let inStep = false;
    const reflector = new Reflector<StatusObject>({
      client,
      clock,
      random,
      path: collectionPath(MARATHON_APPS, namespace),
      project: readObject,
      silenceMs: 150_000,
      listener: {
        changed: (before, now) => {
          this.#learn(before, now);
          this.#news.set('object');
        },
        behind: () => {
          inStep = false;
        },
        inStep: () => {
          inStep = true;
          this.#news.set('object');
        },
        failed: (error) =>
          log.debug('MarathonApps cannot be read for their status', { error: messageOf(error) }),
      },
    });
    const following = reflector.run(signal);
    while (!signal.aborted) {
      await this.#news.wait(LOOK_MS, clock, signal);
      this.#news.take();
      if (inStep && this.#pass !== null) await this.#write(reflector.objects.values(), this.#pass, signal);
    }
    await following;
  }

  #learn(before: StatusObject | null, now: StatusObject | null): void {
    if (now === null) {
      if (before !== null) this.#learnt.delete(before.key);
    } else if (this.#learnt.get(now.key)?.generation !== now.generation) {
      this.#learnt.set(now.key, { generation: now.generation, at: this.#options.clock.monotonic() });
    }
  }

  /** Whether a pass may not know this generation yet: as its status it would pass for what the change has brought. */
  #isAheadOf({ startedAt }: PassStatus, { key, generation, status }: StatusObject): boolean {
    const learnt = this.#learnt.get(key);
    if (learnt === undefined || status.observedGeneration === generation) return false;
    return startedAt < learnt.at && this.#options.clock.monotonic() - learnt.at < PASS_MS;
  }

  async #write(objects: Iterable<StatusObject>, pass: PassStatus, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    for (const object of [...objects]) {
      if (signal.aborted) return;
      const { key } = object;
      if (this.#isAheadOf(pass, object)) continue;
      const status = appStatus(object, pass, object.status, rfc3339(clock.epoch()));
      if (
        same(status, object.status) ||
        clock.monotonic() - (this.#writtenAt.get(key) ?? Number.NEGATIVE_INFINITY) < REST_MS
      )
        continue;
      this.#writtenAt.set(key, clock.monotonic());
      try {
        await this.#writeOne(object, status, signal);
      } catch (error) {
        // Gone meanwhile, or changed by a newer leader: the watch tells.
        const expected = error instanceof ApiFailure && (error.status === 404 || error.status === 409);
        if (!expected && !signal.aborted)
          log.warn('status not written', { object: key, error: messageOf(error) });
      }
    }
  }

  async #writeOne(object: StatusObject, status: MarathonAppStatus, signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const { kind } = MARATHON_APPS;
    const metadata = { name: object.name, namespace: object.namespace, uid: object.uid };
    const body = { apiVersion: apiVersion(MARATHON_APPS), kind, metadata, status };
    const query = { fieldManager: MANAGER, force: true };
    const contentType = 'application/apply-patch+yaml';
    await client.call(
      'PATCH',
      `${objectPath(MARATHON_APPS, object)}/status`,
      { query, body, contentType },
      signal,
    );
    for (const condition of worse(object.status, status)) await this.#tell(object, condition, signal);
  }

  async #tell(object: StatusObject, { reason, message }: Condition, signal: AbortSignal): Promise<void> {
    const { client, clock, identity } = this.#options;
    const { name, namespace, uid, resourceVersion } = object;
    const body = {
      apiVersion: apiVersion(EVENTS),
      kind: EVENTS.kind,
      metadata: { generateName: `${name.slice(0, 200)}-`, namespace },
      eventTime: microTime(clock.epoch()),
      reportingController: 'marathon-ipvs.io/controller',
      reportingInstance: identity.slice(0, 128),
      action: 'Reconcile',
      reason,
      note: message.slice(0, 1_024),
      type: 'Warning',
      regarding: {
        apiVersion: apiVersion(MARATHON_APPS),
        kind: MARATHON_APPS.kind,
        name,
        namespace,
        uid,
        resourceVersion,
      },
    };
    await client.call('POST', collectionPath(EVENTS, namespace), { body }, signal);
  }
}

/** Rejections and conflicts that were not told of yet. */
const BAD: ReadonlySet<string> = new Set(['Rejected', 'PartlyRejected', 'Conflict']);

function worse(before: MarathonAppStatus, now: MarathonAppStatus): readonly Condition[] {
  return (now.conditions ?? []).filter(({ type, reason, message }) => {
    const was = before.conditions?.find((one) => one.type === type);
    return BAD.has(reason) && (was?.reason !== reason || was.message !== message);
  });
}

function readObject(json: unknown): StatusObject {
  const { metadata, status = {} } = objectSchema.parse(json);
  const { name, namespace, resourceVersion, uid, generation } = metadata;
  const key = objectKey(metadata);
  return {
    name,
    namespace,
    resourceVersion,
    uid,
    generation,
    key,
    status,
    declaration: readDeclaration(json, key),
  };
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
