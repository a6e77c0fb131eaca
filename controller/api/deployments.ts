import { z } from 'zod';
import { isRecord } from '../input/rejection.ts';
import type { AppWriter, Clock } from '../ports.ts';
import { instancesOf } from '../source/document/instance-counts.ts';
import { appIdProblem } from '../source/marathon/paths.ts';
import type { StatusDocument } from '../status/document.ts';
import { inRotation } from '../status/figures.ts';
import { fromSource } from './apps.ts';
import { cached } from './cached.ts';
import { ok, refused } from './descriptions.ts';
import { type DeploymentDocument, deploymentDocument } from './documents.ts';
import { json, unavailable } from './route.ts';
import { endpoint, type FollowDeployment } from './services.ts';

/** Marathon is queried at most this often about one deployment, however many clients follow it. */
const MIN_INTERVAL_MS = 500;
/** Clients poll, so waiting longer for a Marathon without a leader gains nothing. */
const ANSWER_MS = 10_000;
/** How many deployments can be followed at once; one that is not polled for `FORGET_MS` no longer counts. */
const MAX_FOLLOWED = 32;
const FORGET_MS = 10_000;

/** Follows deployments at `writer`. The backends in rotation are those in this host's `status`. */
export function createFollow(
  writer: AppWriter,
  status: () => Promise<StatusDocument>,
  clock: Pick<Clock, 'monotonic'>,
): FollowDeployment {
  const followed = new Map<string, { poll: () => Promise<DeploymentDocument>; polledAt: number }>();
  return (id, app) => {
    const now = clock.monotonic();
    const key = `${id} ${app}`;
    for (const [other, { polledAt }] of followed) {
      if (now - polledAt > FORGET_MS) followed.delete(other);
    }
    const known = followed.get(key)?.poll;
    if (known === undefined && followed.size >= MAX_FOLLOWED) return null;
    const poll = known ?? cached(() => readDeployment(writer, status, id, app), MIN_INTERVAL_MS, clock);
    followed.set(key, { poll, polledAt: now });
    return poll;
  };
}

/** For clients that wrote to `/v1/apps`. They poll every second, so it does not count towards the limit on writes. */
export const DEPLOYMENT = endpoint({
  frequent: true,
  id: 'deployment',
  summary: 'Progress of a Marathon deployment, and the backends of its app on this host',
  answers: [
    ok({ Deployment: deploymentDocument }),
    refused(404, 'The id of the deployment or of the app is not valid.'),
    refused(502, 'Marathon does not answer.'),
    refused(503, 'Too many deployments are being followed.'),
  ],
  input: z.object({
    id: z
      .string()
      .regex(/^[\w-]{1,100}$/, 'expected the id of a deployment')
      .describe('Id of the deployment, as returned by the write.'),
    app: z
      .string('expected the id of its app')
      .refine((app) => appIdProblem(app) === null, 'expected the absolute id of its app')
      .describe('Absolute id of its app.'),
  }),
  answer: ({ writing }, { input: { id, app } }) =>
    fromSource(writing, 'debug', { deployment: id }, async ({ follow }) => {
      const poll = follow(id, app);
      return poll === null ? unavailable('too many deployments are being followed') : json(await poll());
    }),
});

async function readDeployment(
  writer: AppWriter,
  status: () => Promise<StatusDocument>,
  id: string,
  app: string,
): Promise<DeploymentDocument> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  // In this order: if the deployment is over, the app is then read in its final state.
  const progress = await writer.deployment(id, signal);
  const definition = await writer.show({ kind: 'app', id: app }, signal);
  const backends = (await status()).vips.flatMap((vip) => vip.backends);
  return {
    deployment: id,
    app,
    progress: progress && { step: progress.step, steps: progress.steps, actions: [...progress.actions] },
    instances: instancesOf('app', definition),
    others: deploymentsOf(definition).filter((other) => other !== id),
    failure: failureOf(definition),
    backendsInRotation: backends.filter((backend) => backend.app === app && inRotation(backend)).length,
  };
}

function deploymentsOf(app: unknown): readonly string[] {
  const list = isRecord(app) ? app['deployments'] : null;
  const ids = Array.isArray(list) ? list.map((one) => (isRecord(one) ? one['id'] : null)) : [];
  return ids.filter((one) => typeof one === 'string');
}

/** Marathon's message about the last failed task, if that task had the app's current version. */
function failureOf(app: unknown): string | null {
  const failure = isRecord(app) ? app['lastTaskFailure'] : null;
  if (!isRecord(app) || !isRecord(failure) || failure['version'] !== app['version']) return null;
  const { state, message } = failure;
  return [state, message].filter((text) => typeof text === 'string' && text !== '').join(': ') || null;
}
