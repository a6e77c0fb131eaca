import { ControllerError, messageOf } from '../errors.ts';
import { isRecord, shown } from '../source/document/rejection.ts';

/** An answer of the API server with another status than hoped for. The message is for an operator. */
export class ApiFailure extends ControllerError {
  /** Of the answer, or of the `Status` object in a watch. */
  readonly status: number;
  /** Kubernetes' word for it: `Conflict`, `Expired`, `TooManyRequests`. Empty where a proxy answered. */
  readonly reason: string;
  /** How long the server wants to be left alone; null when it does not say. */
  readonly retryAfterMs: number | null;

  constructor(what: string, answer: Answer) {
    const { status, body, retryAfter } = answer;
    const said = isRecord(body) ? body : {};
    const text = typeof said['message'] === 'string' ? said['message'] : shown(body ?? '');
    const never = NEVER.has(status);
    super('source', `${what}: answered ${status}${text === '' ? '' : ` "${text}"`}${advice(status, said)}`, {
      retry: never ? 'never' : 'later',
    });
    this.status = status;
    this.reason = typeof said['reason'] === 'string' ? said['reason'] : '';
    this.retryAfterMs = retryAfterMs(retryAfter, said);
  }

  /** Whether the version that a watch or a list went on from is no longer kept: everything must be listed anew. */
  get expired(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }
}

export interface Answer {
  readonly status: number;
  /** A `Status` object, or the text of whoever answered. */
  readonly body: unknown;
  readonly retryAfter?: string | undefined;
}

const NEVER: ReadonlySet<number> = new Set([401, 403]);
/** What a server may ask for at the most; a mistake of some proxy must not keep us away for a day. */
const LONGEST_MS = 60_000;

function retryAfterMs(header: string | undefined, body: Readonly<Record<string, unknown>>): number | null {
  const { details } = body;
  const given = isRecord(details) ? details['retryAfterSeconds'] : undefined;
  const seconds = header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : given;
  return typeof seconds === 'number' && seconds > 0 ? Math.min(LONGEST_MS, seconds * 1_000) : null;
}

function advice(status: number, body: Readonly<Record<string, unknown>>): string {
  if (status === 401)
    return '; the credentials are not accepted: check the kubeconfig file or the service account';
  if (status === 403) return '; RBAC does not allow it: see deploy/kubernetes/base/rbac.yaml';
  // A missing kind has no `reason` of its own besides NotFound, and is answered as plain text.
  if (status === 404 && body['reason'] === undefined) {
    return '; no such resource: is deploy/kubernetes/base/crd.yaml applied, and is this an API server?';
  }
  return '';
}

/** No answer at all, or one that broke off. */
export function transportFailure(what: string, error: unknown): ControllerError {
  const code = isRecord(error) && typeof error['code'] === 'string' ? error['code'] : '';
  const text = messageOf(error) || code || 'no connection';
  const named = code !== '' && !text.includes(code) ? `${text} (${code})` : text;
  return new ControllerError('source', `${what}: ${named}`, { cause: error });
}
