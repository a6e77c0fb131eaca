/** The page's requests to the controller, besides the event stream. */

import { readToken } from './token.ts';

export interface Reply {
  readonly status: number;
  /** The parsed JSON body; null if there is none. */
  readonly body: unknown;
}

/** The header with the read token, if one has been entered. */
export function authorization(): Readonly<Record<string, string>> {
  const token = readToken.current();
  return token === '' ? {} : { authorization: `Bearer ${token}` };
}

/** Requests JSON. Never rejects: without an answer the status is 0 and the body has an error. */
export async function request(path: string, options: RequestOptions = {}): Promise<Reply> {
  try {
    const headers = { ...authorization(), ...options.headers };
    const response = await fetch(path, { ...options, headers, cache: 'no-store' });
    return { status: response.status, body: await response.json().catch(() => null) };
  } catch {
    return { status: 0, body: { error: 'the controller does not answer' } };
  }
}

interface RequestOptions extends RequestInit {
  readonly headers?: Record<string, string>;
}

export interface AppRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Omitted to list all apps, or to create one. */
  readonly id?: string;
  /** The app's JSON, sent unchanged. */
  readonly text?: string;
  readonly force?: boolean;
}

/** Sends a request to `/v1/apps` with the write token, which is empty if the browser presents a certificate. */
export async function requestApps(
  token: string,
  { method, id = '', text, force }: AppRequest,
): Promise<Reply> {
  const path = id.split('/').map(encodeURIComponent).join('/');
  return await request(`/v1/apps${path}${force === true ? '?force=true' : ''}`, {
    method,
    headers: {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(text !== undefined && { 'content-type': 'application/json' }),
    },
    ...(text !== undefined && { body: text }),
  });
}

/** Requests the progress of a deployment, with the write token. */
export async function requestDeployment(
  token: string,
  { deployment, app }: { readonly deployment: string; readonly app: string },
  signal: AbortSignal,
): Promise<Reply> {
  return await request(`/v1/deployments/${encodeURIComponent(deployment)}?app=${encodeURIComponent(app)}`, {
    signal,
    ...(token !== '' && { headers: { authorization: `Bearer ${token}` } }),
  });
}

/** The error message of a reply that is not a success. */
export function errorOf({ status, body }: Reply): string {
  const problem = body as { readonly error?: unknown; readonly message?: unknown } | null;
  const text = problem?.error ?? problem?.message;
  return typeof text === 'string' ? text : `the controller answered ${status}`;
}
