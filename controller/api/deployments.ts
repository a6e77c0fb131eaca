import { z } from 'zod';
import type { AppWriter, Clock } from '../ports.ts';
import { isRecord } from '../rejection.ts';
import { instancesOf } from '../source/document/instance-counts.ts';
import { appIdProblem } from '../source/marathon/paths.ts';
import type { StatusDocument } from '../status/document.ts';
import { inRotation } from '../status/figures.ts';
import { fromSource } from './apps.ts';
import { bounded } from './bounded.ts';
import { type DeploymentDocument, deploymentDocument } from './described.ts';
import { ok, refused } from './describing.ts';
import { json, notNow } from './route.ts';
import { route } from './services.ts';

/** Marathon is asked at most this often about each, however many follow it. */
const LEAST_MS = 500;
/** Who waits asks again soon; a Marathon without a leader need not hold it for longer. */
const ANSWER_MS = 10_000;
/** How many can be followed at once, and for how long one counts that nobody asks for any more. */
const MOST_FOLLOWED = 32;
const FORGET_MS = 10_000;

/** Makes the function that looks how far a deployment is; null where too many others are followed. */
export type Following = (deployment: string, app: string) => (() => Promise<DeploymentDocument>) | null;

/** `status`: what this host knows. */
export function createFollowing(
  writer: AppWriter,
  status: () => Promise<StatusDocument>,
  clock: Pick<Clock, 'monotonic'>,
): Following {
  const followed = new Map<string, { look: () => Promise<DeploymentDocument>; askedAt: number }>();
  return (id, app) => {
    const now = clock.monotonic();
    const key = `${id} ${app}`;
    for (const [other, { askedAt }] of followed) {
      if (now - askedAt > FORGET_MS) followed.delete(other);
    }
    const known = followed.get(key)?.look;
    if (known === undefined && followed.size >= MOST_FOLLOWED) return null;
    const look = known ?? bounded(() => lookAt(writer, status, id, app), LEAST_MS, clock);
    followed.set(key, { look, askedAt: now });
    return look;
  };
}

/** For whoever has sent it to `/v1/apps`; not counted among the writes, since it is asked for every second. */
export const DEPLOYMENT_ROUTE = route('GET', '/v1/deployments/{id}', 'write', {
  frequent: true,
  id: 'deployment',
  summary: 'How far a deployment of Marathon is, and what this host has of its app',
  answers: [
    ok({ Deployment: deploymentDocument }),
    refused(404, 'One of the ids is none.'),
    refused(502, 'Marathon does not answer.'),
    refused(503, 'Too many deployments are followed at once.'),
  ],
  input: z.object({
    id: z
      .string()
      .regex(/^[\w-]{1,100}$/, 'expected the id of a deployment')
      .describe('Id of the deployment, as the answer to a write has it.'),
    app: z
      .string('expected the id of its app')
      .refine((app) => appIdProblem(app) === null, 'expected the id of its app, absolute')
      .describe('Id of its app, absolute.'),
  }),
  answer: ({ writing }, { input: { id, app } }) =>
    fromSource(writing, 'debug', { deployment: id }, async ({ following }) => {
      const look = following(id, app);
      return look === null ? notNow('too many deployments are followed') : json(await look());
    }),
});

async function lookAt(
  writer: AppWriter,
  status: () => Promise<StatusDocument>,
  id: string,
  app: string,
): Promise<DeploymentDocument> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  // In this order: of one that is over, the app is what it was left as.
  const progress = await writer.deployment(id, signal);
  const shown = await writer.show({ kind: 'app', id: app }, signal);
  const backends = (await status()).vips.flatMap((vip) => vip.backends);
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
