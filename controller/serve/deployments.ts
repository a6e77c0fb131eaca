import { ControllerError, messageOf } from '../errors.ts';
import type { AppWriter, Clock } from '../ports.ts';
import { isRecord } from '../rejection.ts';
import { instancesOf } from '../source/document/instances.ts';
import { appIdComplaint } from '../source/marathon/app-id.ts';
import type { StatusDocument } from '../status/document.ts';
import { inRotation } from '../status/present.ts';
import { visibleJson } from '../visible.ts';
import { type Answer, type Area, type Asked, JSON_TYPE, problem } from './answer.ts';
import { isTimeout, OFF, type Writing } from './apps.ts';
import { bounded } from './bounded.ts';
import type { DeploymentDocument } from './described.ts';

export interface DeploymentOptions {
  readonly writing: Writing | null;
  /** What this host knows. */
  readonly live: () => Promise<{ readonly document: StatusDocument }>;
  readonly clock: Pick<Clock, 'monotonic'>;
}

const UNDER = '/v1/deployments';
/** Marathon is asked at most this often about each, however many follow it. */
const LEAST_MS = 500;
/** Who waits asks again soon; a Marathon without a leader need not hold it for longer. */
const ANSWER_MS = 10_000;
/** How many can be followed at once, and for how long one counts that nobody asks for any more. */
const MOST_FOLLOWED = 32;
const FORGET_MS = 10_000;

interface Followed {
  readonly look: () => Promise<DeploymentDocument>;
  readonly askedAt: number;
}

/**
 * `GET /v1/deployments/ID?app=APP`: how far it is, for whoever has sent it to `/v1/apps`; with the same right, and not
 * counted among the writes, since it is asked for every second.
 */
export function createDeploymentsArea({ writing, live, clock }: DeploymentOptions): Area {
  const area = { under: UNDER, methods: ['GET'], described: [`${UNDER}/{id}`] };
  if (writing === null) return { ...area, needs: 'read', route: () => problem(403, OFF) };
  const { writer, log } = writing;
  const followed = new Map<string, Followed>();

  /** null: too many others are followed. */
  function following(id: string, app: string): Followed['look'] | null {
    const now = clock.monotonic();
    const key = `${id} ${app}`;
    for (const [other, { askedAt }] of followed) {
      if (now - askedAt > FORGET_MS) followed.delete(other);
    }
    const known = followed.get(key)?.look;
    if (known === undefined && followed.size >= MOST_FOLLOWED) return null;
    const look = known ?? bounded(() => lookAt(writer, live, id, app), LEAST_MS, clock);
    followed.set(key, { look, askedAt: now });
    return look;
  }

  async function route({ path, query }: Asked): Promise<Answer> {
    const [, id = null] = /^\/([\w-]{1,100})$/.exec(path.slice(UNDER.length)) ?? [];
    const app = query.get('app') ?? '';
    if (id === null || appIdComplaint(app) !== null) {
      return problem(404, `expected ${UNDER}/ID?app=APP with the ids of a deployment and of its app`);
    }
    const look = following(id, app);
    if (look === null) return problem(503, 'too many deployments are followed', {}, { 'retry-after': '5' });
    try {
      return { status: 200, headers: JSON_TYPE, body: `${visibleJson(await look())}\n` };
    } catch (error) {
      if (!(error instanceof ControllerError) && !isTimeout(error)) throw error;
      log.debug('source does not say how far a deployment is', { deployment: id, error: messageOf(error) });
      return problem(502, messageOf(error));
    }
  }

  return { ...area, needs: 'write', frequent: true, route };
}

async function lookAt(
  writer: AppWriter,
  live: DeploymentOptions['live'],
  id: string,
  app: string,
): Promise<DeploymentDocument> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  // In this order: of one that is over, the app is what it was left as.
  const progress = await writer.deployment(id, signal);
  const shown = await writer.show({ kind: 'app', id: app }, signal);
  const { document } = await live();
  const backends = document.vips.flatMap((vip) => vip.backends);
  return {
    deployment: id,
    app,
    progress: progress && { step: progress.step, steps: progress.steps, actions: [...progress.actions] },
    instances: instancesOf('app', shown),
    others: deploymentsOf(shown).filter((other) => other !== id),
    failure: failureOf(shown),
    backendsInRotation: backends.filter((backend) => backend.app === app && inRotation(backend)).length,
  };
}

function deploymentsOf(app: unknown): readonly string[] {
  const list = isRecord(app) ? app['deployments'] : null;
  const ids = Array.isArray(list) ? list.map((one) => (isRecord(one) ? one['id'] : null)) : [];
  return ids.filter((one) => typeof one === 'string');
}

/** What Marathon says of the last task that failed, where that was of the app as it is now. */
function failureOf(app: unknown): string | null {
  const failure = isRecord(app) ? app['lastTaskFailure'] : null;
  if (!isRecord(app) || !isRecord(failure) || failure['version'] !== app['version']) return null;
  const { state, message } = failure;
  return [state, message].filter((text) => typeof text === 'string' && text !== '').join(': ') || null;
}
