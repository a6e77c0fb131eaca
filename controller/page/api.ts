/** What the page asks the controller for, besides events. */

import { readToken } from './token.ts';

export interface Reply {
  readonly status: number;
  /** The JSON of the body; null where there is none. */
  readonly body: unknown;
}

/** What lets one read, where that has been typed. */
export function authorization(): Readonly<Record<string, string>> {
  const token = readToken.current();
  return token === '' ? {} : { authorization: `Bearer ${token}` };
}

/** Asks for JSON. Never rejects: without an answer the status is 0 and the body says so. */
export async function ask(path: string, options: Asking = {}): Promise<Reply> {
  try {
    const headers = { ...authorization(), ...options.headers };
    const response = await fetch(path, { ...options, headers, cache: 'no-store' });
    return { status: response.status, body: await response.json().catch(() => null) };
  } catch {
    return { status: 0, body: { error: 'the controller does not answer' } };
  }
}

interface Asking extends RequestInit {
  readonly headers?: Record<string, string>;
}

export interface AppRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Empty for the list, and to create one. */
  readonly id?: string;
  /** The app's JSON, sent as it is. */
  readonly text?: string;
  readonly force?: boolean;
}

/** Asks `/v1/apps`, with the token that writing needs; without one where the browser shows a certificate. */
export async function askApps(token: string, { method, id = '', text, force }: AppRequest): Promise<Reply> {
  const path = id.split('/').map(encodeURIComponent).join('/');
  return await ask(`/v1/apps${path}${force === true ? '?force=true' : ''}`, {
    method,
    headers: {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(text !== undefined && { 'content-type': 'application/json' }),
    },
    ...(text !== undefined && { body: text }),
  });
}

/** Asks how far a deployment is, with the token that writing needs. */
export async function askDeployment(
  token: string,
  { deployment, app }: { readonly deployment: string; readonly app: string },
  signal: AbortSignal,
): Promise<Reply> {
  return await ask(`/v1/deployments/${encodeURIComponent(deployment)}?app=${encodeURIComponent(app)}`, {
    signal,
    ...(token !== '' && { headers: { authorization: `Bearer ${token}` } }),
  });
}

/** What a reply says that is no success. */
export function errorOf({ status, body }: Reply): string {
  const said = body as { readonly error?: unknown; readonly message?: unknown } | null;
  const text = said?.error ?? said?.message;
  return typeof text === 'string' ? text : `the controller answered ${status}`;
}
