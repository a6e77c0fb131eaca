import { isNativeError } from 'node:util/types';
import type { WriteRefused, WriteResult } from '../app-writes.ts';
import { ControllerError, messageOf } from '../errors.ts';
import type { AppWriter, Log } from '../ports.ts';
import { appIdComplaint } from '../source/marathon/app-id.ts';
import { visibleJson } from '../visible.ts';
import { type Answer, type Area, type Asked, JSON_TYPE, problem } from './answer.ts';
import { definitionOf, isObject } from './definition.ts';
import type {
  AppDocument,
  AppListDocument,
  WriteAcceptedDocument,
  WriteRefusedDocument,
} from './described.ts';

/** What apps are written with. */
export interface Writing {
  readonly writer: AppWriter;
  readonly log: Log;
}

const UNDER = '/v1/apps';
/** An app is a few kB; Marathon itself takes no more than a node of ZooKeeper holds. */
const MOST_BYTES = 1_048_576;
/** Marathon answers a write within seconds, or has no leader. */
const ANSWER_MS = 60_000;

/**
 * `/v1/apps`: the source's apps as they are defined there. GET lists their ids, and reads `/v1/apps/ID`; POST creates,
 * PUT replaces and DELETE removes one, with `?force` against the deployment that has it locked. The bytes of a body go
 * to the source as they are. Definitions may hold secrets, so reading needs the same right.
 */
export function createAppsArea(writing: Writing | null): Area {
  const methods = ['GET', 'POST', 'PUT', 'DELETE'];
  const area = { under: UNDER, methods, described: [UNDER, `${UNDER}/{id}`] };
  if (writing === null) return { ...area, needs: 'read', route: () => problem(403, OFF) };
  return { ...area, needs: 'write', route: (asked) => answer(writing, asked) };
}

export const OFF =
  'writing apps is off; `--allow-writes` with a `--write-token-file` switches it on at the controller of this host';

async function answer({ writer, log }: Writing, asked: Asked): Promise<Answer> {
  const id = idOf(asked.path);
  if (typeof id !== 'string') return problem(404, id.why);
  try {
    return await (asked.method === 'GET' ? read(writer, id) : write(writer, log, asked, id));
  } catch (error) {
    if (!(error instanceof ControllerError) && !isTimeout(error)) throw error;
    log.warn('source did not take an app', { method: asked.method, app: id, error: messageOf(error) });
    return problem(502, messageOf(error));
  }
}

async function read(writer: AppWriter, id: string): Promise<Answer> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  if (id === '') {
    const ids = (await writer.listApps(signal)).map((app) => (isObject(app) ? app['id'] : null));
    return json({ apps: ids.filter((one) => typeof one === 'string').sort() } satisfies AppListDocument);
  }
  const app = await writer.show({ kind: 'app', id }, signal);
  if (!isObject(app)) return problem(404, `there is no app ${id}`);
  return json({ app: definitionOf(app) } satisfies AppDocument);
}

async function write(writer: AppWriter, log: Log, asked: Asked, id: string): Promise<Answer> {
  const { method, query } = asked;
  if ((method === 'POST') !== (id === '')) {
    return problem(405, method === 'POST' ? 'POST goes to /v1/apps' : `${method} goes to /v1/apps/ID`);
  }
  const options = { force: isSet(query.get('force')), signal: AbortSignal.timeout(ANSWER_MS) };
  const ref = { kind: 'app', id } as const;
  if (method === 'DELETE') return told(log, method, id, await writer.remove(ref, options));
  const text = await bodyOf(asked);
  if (typeof text !== 'string') return text;
  const result =
    method === 'POST'
      ? await writer.add('app', text, options)
      : await writer.update(ref, text, { ...options, whole: true });
  return told(log, method, id, result);
}

/** The text of an app, which is a JSON object; what is in it is for the source to judge. */
async function bodyOf({ headers, body }: Asked): Promise<string | Answer> {
  if (!/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '')) {
    return problem(415, 'expected an app as application/json');
  }
  const bytes = await body(MOST_BYTES);
  if (bytes === null) {
    return problem(413, `expected an app of at most ${MOST_BYTES} bytes`, {}, { connection: 'close' });
  }
  const text = bytes.toString('utf8');
  try {
    const app: unknown = JSON.parse(text);
    return isObject(app) ? text : problem(400, 'expected an app, which is a JSON object');
  } catch (error) {
    return problem(400, `the body is no JSON: ${messageOf(error)}`);
  }
}

/** What a write that Marathon refused is answered with. */
export const REFUSED_STATUS: Readonly<Record<WriteRefused['why'], number>> = {
  exists: 409,
  locked: 409,
  absent: 404,
  invalid: 422,
  // Too many deployments: later there are fewer.
  busy: 503,
  forbidden: 403,
};

function told(log: Log, method: string, id: string, result: WriteResult): Answer {
  log.info('app written', { method, app: id, ...result });
  if (result.result === 'accepted') return json(result satisfies WriteAcceptedDocument);
  const { message, why } = result;
  const more: Omit<WriteRefusedDocument, 'error'> = {
    why,
    deployments: [...result.deployments],
    details: result.details.map(({ at, errors }) => ({ at, errors: [...errors] })),
  };
  return problem(REFUSED_STATUS[why], message, more);
}

function json(body: unknown): Answer {
  return { status: 200, headers: JSON_TYPE, body: `${visibleJson(body)}\n` };
}

/** `` for all, `/group/web` for one. Clients that were made of the description write its slashes as `%2F`. */
function idOf(path: string): string | { readonly why: string } {
  const rest = path.slice(UNDER.length);
  if (rest === '' || rest === '/') return '';
  if (!rest.startsWith('/')) return { why: 'expected /v1/apps, or /v1/apps/ID with the id of an app' };
  const id = decoded(rest);
  const why = appIdComplaint(id);
  return why === null ? id : { why: `/v1/apps/ID: ${rest} is no id of an app: ${why}` };
}

/** What cannot be decoded stays as it is, and is no id. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isSet(value: string | null): boolean {
  return value !== null && value !== 'false';
}

export function isTimeout(error: unknown): boolean {
  return isNativeError(error) && (error.name === 'TimeoutError' || error.name === 'AbortError');
}
