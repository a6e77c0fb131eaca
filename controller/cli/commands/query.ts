import { isNativeError } from 'node:util/types';
import type { z } from 'zod';
import { ControllerError, messageOf } from '../../errors.ts';
import { checked, firstIssue } from '../../input/schema-messages.ts';
import type { Controller } from './controller.ts';

const ANSWER_MS = 10_000;

/**
 * Requests a document from the running controller. Rejects with a `ControllerError` 'controller' and a message of one line if
 * there is no answer, or none of a controller; with the signal's reason when that aborts.
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
  throw unexpected(controller.url + path, status, raw, error);
}

/**
 * Requests a text and returns it with its status, whatever that is. Rejects with a `ControllerError` 'controller' and a message
 * of one line if there is no answer within `answerMs`; with the signal's reason when that aborts.
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
  // Without a cause: the message already contains the reason.
  return new ControllerError('controller', `no controller answers at ${url}: ${why}; ${advice}`, {
    retry: mistake === null ? 'later' : 'never',
  });
}

/** The error message; of an OpenSSL error only the reason, since the rest locates it in OpenSSL's source. */
function reasonOf(error: unknown): string {
  const message = messageOf(error).trim();
  const [, reason] = /:SSL routines:[^:]*:([^:]+):/.exec(message) ?? [];
  return reason ?? message;
}

/** Advice if something answers but the options do not fit it; null if there may be no controller at all. */
function mistakeIn(url: string, error: unknown): string | null {
  const code = isNativeError(error) && 'code' in error ? String(error.code) : '';
  if (/^(?:DEPTH_ZERO_)?SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)/.test(code)) {
    return 'give the authority that signed its certificate with --server-ca-file';
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'its certificate is for other names: use one of them in --server URL';
  }
  // A server that expects TLS when addressed without it, and the other way round.
  if (url.startsWith('http:') && code === 'ECONNRESET') return 'does it use TLS? then use --server https://…';
  if (code === 'EPROTO') return 'does it use TLS? --server http://… connects without it on this host';
  return null;
}

function unexpected(
  url: string,
  status: number,
  raw: unknown,
  error: z.ZodError | undefined,
): ControllerError {
  const message = typeof raw === 'object' && raw !== null && 'error' in raw ? `: ${String(raw.error)}` : '';
  if (message !== '' && REFUSALS.has(status)) {
    const how =
      status === 401
        ? '; give a token with --server-token-file, or a certificate with --server-cert-file'
        : '';
    return new ControllerError('controller', `${url} denies access (${status})${message}${how}`, {
      retry: 'never',
    });
  }
  const where = error === undefined || status !== 200 ? '' : ` (${firstIssue(error)})`;
  return new ControllerError(
    'controller',
    `${url} answers with status ${status}${message}${where}, not as a controller of this version does`,
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
