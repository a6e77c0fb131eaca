import { isNativeError } from 'node:util/types';
import { z } from 'zod';
import type { WriteOptions, WriteRefused, WriteResult } from '../app-writes.ts';
import { ControllerError, messageOf } from '../errors.ts';
import type { AppWriter, Log } from '../ports.ts';
import { appIdProblem } from '../source/marathon/paths.ts';
import { definitionOf, isObject } from './definition.ts';
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
} from './described.ts';
import { flag, ok, refused } from './describing.ts';
import { type Answer, type Body, type DescribedAnswer, json, problem, type Route } from './route.ts';
import { route, type Services } from './services.ts';

/** What apps are written with. */
export interface Writing {
  readonly writer: AppWriter;
  readonly log: Log;
}

/** Marathon answers a write within seconds, or has no leader. */
const ANSWER_MS = 60_000;

export const OFF =
  'writing apps is off; `--allow-writes` with a `--write-token-file` switches it on at the controller of this host';

/** The status of what the source refused. */
const REFUSED_STATUS: Readonly<Record<WriteRefused['why'], number>> = {
  exists: 409,
  locked: 409,
  absent: 404,
  invalid: 422,
  // Too many deployments: later there are fewer.
  busy: 503,
  forbidden: 403,
};

/** `whys`: what Marathon may refuse a write for. */
function written(...whys: readonly WriteRefused['why'][]): readonly DescribedAnswer[] {
  const refusals = [...Map.groupBy(whys, (why) => REFUSED_STATUS[why])].map(([status, reasons]) =>
    refused(status, `Marathon refuses it, and \`why\` is ${reasons.join(' or ')}.`, {
      WriteRefused: writeRefusedDocument,
    }),
  );
  return [ok({ WriteAccepted: writeAcceptedDocument }), SILENT, ...refusals];
}

const SILENT = refused(502, 'Marathon does not answer, or not as Marathon does.');
const NO_ID = refused(404, 'The path has no id of an app.');

/** What is in it is for Marathon to judge, which gets the very bytes; it takes no more than a node of ZooKeeper holds. */
const DEFINITION: Body = {
  what: 'an app',
  mostBytes: 1_048_576,
  description: 'At most 1 MiB; its bytes go to Marathon as they are.',
  schemas: { AppDefinition: appDefinition },
};

const force = flag.describe(
  'Cancels the deployments that lock the app, which would be refused as locked otherwise.',
);

const id = z
  .string()
  .superRefine((text, context) => {
    const why = appIdProblem(`/${text}`);
    if (why !== null) context.addIssue(`/${text} is no id of an app: ${why}`);
  })
  .describe(
    "The app's id without its leading slash: group/web, or group%2Fweb from a client that escapes slashes.",
  );

/** The source's apps as they are defined there. Definitions may hold secrets, so reading needs the right to write too. */
export const APP_ROUTES: readonly Route<Services>[] = [
  route('GET', '/v1/apps', 'write', {
    id: 'listApps',
    summary: "Ids of the source's apps",
    answers: [ok({ AppList: appListDocument }), SILENT],
    answer: ({ writing }) =>
      fromSource(writing, 'warn', { method: 'GET' }, async ({ writer }) => {
        const apps = await writer.listApps(AbortSignal.timeout(ANSWER_MS));
        const ids = apps.map((app) => (isObject(app) ? app['id'] : null));
        return json({ apps: ids.filter((one) => typeof one === 'string').sort() } satisfies AppListDocument);
      }),
  }),
  route('POST', '/v1/apps', 'write', {
    id: 'createApp',
    summary: 'Creates an app',
    answers: written('exists', 'locked', 'busy', 'invalid', 'forbidden'),
    input: z.object({ force }),
    body: DEFINITION,
    answer: ({ writing }, { input, body }) =>
      write(writing, 'POST', '', input, (writer, options) => writer.add('app', body, options)),
  }),
  route('GET', '/v1/apps/{id}', 'write', {
    id: 'readApp',
    summary: 'An app as it is defined; definitions may hold secrets',
    answers: [
      ok({ App: appDocument }),
      refused(404, 'There is no such app, or the path has no id of one.'),
      SILENT,
    ],
    input: z.object({ id }),
    answer: ({ writing }, { input }) =>
      fromSource(writing, 'warn', { method: 'GET', app: `/${input.id}` }, async ({ writer }) => {
        const ref = { kind: 'app', id: `/${input.id}` } as const;
        const app = await writer.show(ref, AbortSignal.timeout(ANSWER_MS));
        if (!isObject(app)) return problem(404, `there is no app ${ref.id}`);
        return json({ app: definitionOf(app) } satisfies AppDocument);
      }),
  }),
  route('PUT', '/v1/apps/{id}', 'write', {
    id: 'replaceApp',
    summary: 'Replaces the whole definition of an app: what is not mentioned is gone',
    answers: [NO_ID, ...written('absent', 'locked', 'busy', 'invalid', 'forbidden')],
    input: z.object({ id, force }),
    body: DEFINITION,
    answer: ({ writing }, { input, body }) =>
      write(writing, 'PUT', `/${input.id}`, input, (writer, options) =>
        writer.update({ kind: 'app', id: `/${input.id}` }, body, { ...options, whole: true }),
      ),
  }),
  route('DELETE', '/v1/apps/{id}', 'write', {
    id: 'removeApp',
    summary: 'Removes an app and ends its tasks',
    answers: [NO_ID, ...written('absent', 'locked', 'busy', 'forbidden')],
    input: z.object({ id, force }),
    answer: ({ writing }, { input }) =>
      write(writing, 'DELETE', `/${input.id}`, input, (writer, options) =>
        writer.remove({ kind: 'app', id: `/${input.id}` }, options),
      ),
  }),
];

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

/** What `work` answers; a source that does not answer is logged with `fields`, and is a problem of its own. */
export async function fromSource<Given extends Writing>(
  writing: Given | undefined,
  level: 'debug' | 'warn',
  fields: Readonly<Record<string, string>>,
  work: (writing: Given) => Promise<Answer>,
): Promise<Answer> {
  if (writing === undefined) return problem(403, OFF);
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
