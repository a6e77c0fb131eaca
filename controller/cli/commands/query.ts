import { isNativeError } from 'node:util/types';
import type { z } from 'zod';
import { ControllerError, messageOf } from '../../errors.ts';
import { checked, firstIssue } from '../../schema-messages.ts';
import type { Controller } from './controller.ts';

const ANSWER_MS = 10_000;

/**
 * Asks the running controller for a document. Rejects with a `ControllerError` 'controller' and one line when nobody
 * answers, or someone who is no controller of this kind; with the signal's reason when that aborts.
 */
export async function query<Schema extends z.ZodType>(
  controller: Controller,
  path: string,
  schema: Schema,
  signal: AbortSignal,
  answerMs = ANSWER_MS,
): Promise<{ readonly document: z.output<Schema>; readonly raw: unknown }> {
  const { status, text } = await get(controller, path, answerMs, signal);
  const raw = parse(text);
  const { data, error } = checked(schema, raw);
  if (status === 200 && error === undefined) return { document: data, raw };
  throw otherwise(controller.url + path, status, raw, error);
}

/**
 * Asks for a text and gives it with its status, whatever that is. Rejects with a `ControllerError` 'controller' and one line
 * when nothing comes within `answerMs`; with the signal's reason when that aborts.
 */
export async function get(
  controller: Controller,
  path: string,
  answerMs: number,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const late = AbortSignal.timeout(answerMs);
  return await controller.get(path, AbortSignal.any([signal, late])).catch((error) => {
    signal.throwIfAborted();
    if (error instanceof ControllerError) throw error;
    const why = late.aborted ? `no answer within ${answerMs / 1_000} s` : reasonOf(error);
    throw unreachable(controller.url, why, error);
  });
}

function unreachable(url: string, why: string, error: unknown): ControllerError {
  const mistake = mistakeIn(url, error);
  const advice = mistake ?? 'is `marathon-ipvs run` running here? --server URL connects to another one';
  // The reason is in the message already; as a cause it would be told twice.
  return new ControllerError('controller', `no controller answers at ${url}: ${why}; ${advice}`, {
    retry: mistake === null ? 'later' : 'never',
  });
}

/** Of OpenSSL's lines only the reason: the rest is a place in its own source. */
function reasonOf(error: unknown): string {
  const message = messageOf(error).trim();
  const [, reason] = /:SSL routines:[^:]*:([^:]+):/.exec(message) ?? [];
  return reason ?? message;
}

/** What was given wrongly where someone is there and cannot be talked to; null where nobody may be. */
function mistakeIn(url: string, error: unknown): string | null {
  const code = isNativeError(error) && 'code' in error ? String(error.code) : '';
  if (/^(?:DEPTH_ZERO_)?SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)/.test(code)) {
    return '--server-ca-file names a file with the authority of its certificate';
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'its certificate is for other names: use one of them in --server URL';
  }
  // Of one that speaks TLS where it is asked without, and the other way round.
  if (url.startsWith('http:') && code === 'ECONNRESET') return 'does it use TLS? then use --server https://…';
  if (code === 'EPROTO') return 'does it use TLS? --server http://… connects without it on this host';
  return null;
}

function otherwise(
  url: string,
  status: number,
  raw: unknown,
  error: z.ZodError | undefined,
): ControllerError {
  const told = typeof raw === 'object' && raw !== null && 'error' in raw ? `: ${String(raw.error)}` : '';
  if (told !== '' && REFUSALS.has(status)) {
    const how =
      status === 401
        ? '; --server-token-file names a file with it, --server-cert-file one with a certificate'
        : '';
    return new ControllerError('controller', `${url} denies access (${status})${told}${how}`, {
      retry: 'never',
    });
  }
  const where = error === undefined || status !== 200 ? '' : ` (${firstIssue(error)})`;
  return new ControllerError(
    'controller',
    `${url} answers with status ${status}${told}${where}, not as a controller of this version does`,
  );
}

const REFUSALS: ReadonlySet<number> = new Set([401, 403, 421, 429]);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
