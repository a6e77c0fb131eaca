import type { z } from 'zod';
import type { Config } from '../config/config.ts';
import { flagName, usage } from '../config/given.ts';
import { ControllerError, messageOf } from '../errors.ts';
import { endpointKey } from '../model.ts';

const ANSWER_MS = 10_000;

/**
 * Where the running controller is asked: `--server`, or the address of `--listen` on this host.
 *
 * Throws a `ControllerError` 'usage' where that cannot be known.
 */
export function serverOf({ server, listen }: Pick<Config, 'server' | 'listen'>): string {
  if (server !== undefined) return server;
  if (listen === null || listen.port === 0) {
    throw usage(`${flagName('listen')} tells no address to ask at; give the controller's with --server URL`);
  }
  const anywhere = { '0.0.0.0': '127.0.0.1', '::': '::1' }[listen.address];
  return `http://${endpointKey({ ...listen, address: anywhere ?? listen.address })}`;
}

/**
 * Asks the running controller for a document. Rejects with a `ControllerError` 'controller' and one line when nobody
 * answers, or someone who is no controller of this kind; with the signal's reason when that aborts.
 */
export async function ask<Schema extends z.ZodType>(
  base: string,
  path: string,
  schema: Schema,
  signal: AbortSignal,
): Promise<{ readonly document: z.output<Schema>; readonly raw: unknown }> {
  let status: number;
  let text: string;
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const response = await fetch(base + path, { signal: limit, redirect: 'manual' });
    status = response.status;
    text = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(base, error);
  }
  const raw = parse(text);
  const { data, error } = schema.safeParse(raw);
  if (status === 200 && error === undefined) return { document: data, raw };
  throw otherwise(base + path, status, raw, error);
}

function unreachable(base: string, error: unknown): ControllerError {
  const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
  const why = timedOut
    ? `nothing came within ${ANSWER_MS / 1_000} s`
    : messageOf(error).replace(/^fetch failed: /, '');
  const advice = 'is `marathon-ipvs run` running here? --server URL asks another one';
  // The reason is in the message already; as a cause it would be told twice.
  return new ControllerError('controller', `no controller answers at ${base}: ${why}; ${advice}`);
}

function otherwise(
  url: string,
  status: number,
  raw: unknown,
  error: z.ZodError | undefined,
): ControllerError {
  const told = typeof raw === 'object' && raw !== null && 'error' in raw ? `: ${String(raw.error)}` : '';
  const [issue] = error?.issues ?? [];
  const where =
    issue === undefined || status !== 200 ? '' : ` (${issue.path.join('.') || 'document'}: ${issue.message})`;
  return new ControllerError(
    'controller',
    `${url} answers with status ${status}${told}${where}, not as a controller of this version does`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
