import { isNativeError } from 'node:util/types';
import { z } from 'zod';
import { ControllerError, messageOf } from '../errors.ts';
import type { WriteOptions, WriteRefused, WriteResult } from '../model/app-writes.ts';
import type { AppWriter } from '../ports.ts';
import { appIdProblem } from '../source/marathon/paths.ts';
import { definitionOf, isObject } from './definition.ts';
import { flag, ok, refused } from './descriptions.ts';
import {
  type AppDocument,
  type AppListDocument,
  appDefinition,
  appDocument,
  appListDocument,
  type WriteAcceptedDocument,
  type WriteRefusedDocument,
  writeAcceptedDocument,
  writeRefusedDocument,
} from './documents.ts';
import { type Answer, type Body, type DescribedAnswer, json, problem, type Route } from './route.ts';
import { type AppWriting, endpoint, type Services } from './services.ts';

/** Marathon answers a write within seconds, or has no leader. */
const ANSWER_MS = 60_000;

/** Why app routes refuse every request. */
export const WRITES_DISABLED =
  'writing apps is disabled; start the controller of this host with `--allow-writes` and `--write-token-file` to enable it';

/** The HTTP status for each reason why Marathon refuses a write. */
const REFUSED_STATUS: Readonly<Record<WriteRefused['why'], number>> = {
  exists: 409,
  locked: 409,
  absent: 404,
  invalid: 422,
  // Too many deployments are running: a later retry may succeed.
  busy: 503,
  forbidden: 403,
};

/** The answers of a write, which Marathon may refuse for these reasons. */
function writeAnswers(...reasons: readonly WriteRefused['why'][]): readonly DescribedAnswer[] {
  const refusals = [...Map.groupBy(reasons, (why) => REFUSED_STATUS[why])].map(([status, whys]) =>
    refused(status, `Marathon refuses the write; \`why\` is ${whys.join(' or ')}.`, {
      WriteRefused: writeRefusedDocument,
    }),
  );
  return [ok({ WriteAccepted: writeAcceptedDocument }), MARATHON_FAILED, ...refusals];
}

const MARATHON_FAILED = refused(502, 'Marathon does not answer, or the answer is not one of Marathon.');
const INVALID_ID = refused(404, 'The path does not contain a valid app id.');

/** Marathon validates the definition, so it gets the bytes unchanged. ZooKeeper limits its size to 1 MiB. */
const DEFINITION: Body = {
  what: 'an app',
  maxBytes: 1_048_576,
  description: 'At most 1 MiB; sent to Marathon unchanged.',
  schemas: { AppDefinition: appDefinition },
};

const force = flag.describe(
  'Cancels the deployments that lock the app. Without it the write is refused as `locked`.',
);

const id = z
  .string()
  .superRefine((text, context) => {
    const why = appIdProblem(`/${text}`);
    if (why !== null) context.addIssue(`/${text} is not a valid app id: ${why}`);
  })
  .describe(
    "The app's id without the leading slash: group/web, or group%2Fweb if the client escapes slashes.",
  );

/** App definitions at the source. They may contain secrets, so reading them needs the right to write. */
export const APPS = {
  list: endpoint({
    id: 'listApps',
    summary: 'Lists the ids of all apps at Marathon',
    answers: [ok({ AppList: appListDocument }), MARATHON_FAILED],
    answer: ({ writing }) =>
      fromSource(writing, 'warn', { method: 'GET' }, async ({ writer }) => {
        const apps = await writer.listApps(AbortSignal.timeout(ANSWER_MS));
        const ids = apps.map((app) => (isObject(app) ? app['id'] : null));
        return json({ apps: ids.filter((one) => typeof one === 'string').sort() } satisfies AppListDocument);
      }),
  }),
  create: endpoint({
    id: 'createApp',
    summary: 'Creates an app',
    answers: writeAnswers('exists', 'locked', 'busy', 'invalid', 'forbidden'),
    input: z.object({ force }),
    body: DEFINITION,
    answer: ({ writing }, { input, body }) =>
      write(writing, 'POST', '', input, (writer, options) => writer.add('app', body, options)),
  }),
  read: endpoint({
    id: 'readApp',
    summary: 'Returns the definition of an app, which may contain secrets',
    answers: [
      ok({ App: appDocument }),
      refused(404, 'The app does not exist, or the path does not contain a valid app id.'),
      MARATHON_FAILED,
    ],
    input: z.object({ id }),
    answer: ({ writing }, { input }) =>
      fromSource(writing, 'warn', { method: 'GET', app: `/${input.id}` }, async ({ writer }) => {
        const ref = { kind: 'app', id: `/${input.id}` } as const;
        const app = await writer.show(ref, AbortSignal.timeout(ANSWER_MS));
        if (!isObject(app)) return problem(404, `app ${ref.id} does not exist at Marathon`);
        return json({ app: definitionOf(app) } satisfies AppDocument);
      }),
  }),
  replace: endpoint({
    id: 'replaceApp',
    summary: 'Replaces the whole definition of an app; fields that are left out are removed',
    answers: [INVALID_ID, ...writeAnswers('absent', 'locked', 'busy', 'invalid', 'forbidden')],
    input: z.object({ id, force }),
    body: DEFINITION,
    answer: ({ writing }, { input, body }) =>
      write(writing, 'PUT', `/${input.id}`, input, (writer, options) =>
        writer.update({ kind: 'app', id: `/${input.id}` }, body, { ...options, whole: true }),
      ),
  }),
  remove: endpoint({
    id: 'removeApp',
    summary: 'Removes an app and kills its tasks',
    answers: [INVALID_ID, ...writeAnswers('absent', 'locked', 'busy', 'forbidden')],
    input: z.object({ id, force }),
    answer: ({ writing }, { input }) =>
      write(writing, 'DELETE', `/${input.id}`, input, (writer, options) =>
        writer.remove({ kind: 'app', id: `/${input.id}` }, options),
      ),
  }),
};

function write(
  writing: Services['writing'],
  method: Route<Services>['method'],
  app: string,
  options: Pick<WriteOptions, 'force'>,
  send: (writer: AppWriter, options: WriteOptions) => Promise<WriteResult>,
): Promise<Answer> {
  return fromSource(writing, 'warn', { method, app }, async ({ writer, log }) => {
    const { force = false } = options;
    const result = await send(writer, { force, signal: AbortSignal.timeout(ANSWER_MS) });
    log.info('app written', { method, app, ...result });
    if (result.result === 'accepted') return json(result satisfies WriteAcceptedDocument);
    const { message, why } = result;
    const more: Omit<WriteRefusedDocument, 'error'> = {
      why,
      deployments: [...result.deployments],
      details: result.details.map(({ at, errors }) => ({ at, errors: [...errors] })),
    };
    return problem(REFUSED_STATUS[why], message, more);
  });
}

/**
 * Answers with `work`, or with 403 if writing is disabled. If the source fails or times out, logs that with `fields` and
 * answers with 502.
 */
export async function fromSource<Writing extends AppWriting>(
  writing: Writing | undefined,
  level: 'debug' | 'warn',
  fields: Readonly<Record<string, string>>,
  work: (writing: Writing) => Promise<Answer>,
): Promise<Answer> {
  if (writing === undefined) return problem(403, WRITES_DISABLED);
  try {
    return await work(writing);
  } catch (error) {
    if (!(error instanceof ControllerError) && !isTimeout(error)) throw error;
    writing.log[level]('source did not answer a request', { ...fields, error: messageOf(error) });
    return problem(502, messageOf(error));
  }
}

function isTimeout(error: unknown): boolean {
  return isNativeError(error) && (error.name === 'TimeoutError' || error.name === 'AbortError');
}
