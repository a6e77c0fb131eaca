import { ControllerError, messageOf } from '../errors.ts';
import { isRecord, shown } from '../rejection.ts';

/** An answer of the API server with another status than hoped for. The message is for an operator. */
export class ApiFailure extends ControllerError {
  /** Of the answer, or of the `Status` object in a watch. */
  readonly status: number;
  /** Kubernetes' word for it: `Conflict`, `Expired`, `TooManyRequests`. Empty where a proxy answered. */
  readonly reason: string;
  /** The server's own words, without what was asked; of a proxy the text that it gave. */
  readonly said: string;
  /** What it says of single fields, where it does. */
  readonly causes: readonly FieldCause[];
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
    this.said = text;
    this.causes = causesOf(said);
    this.retryAfterMs = retryAfterMs(retryAfter, said);
  }

  /** Whether the server has no such kind at all, as before its CRD is applied. */
  get unknownKind(): boolean {
    return this.status === 404 && isUnknownKind(this.reason, this.said);
  }

  /** Whether the version that a watch or a list went on from is no longer kept: everything must be listed anew. */
  get expired(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }
}

export interface FieldCause {
  /** `spec.endpoints`; empty where it is about the whole. */
  readonly at: string;
  readonly message: string;
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
  const { reason = '', message = '' } = body;
  if (status === 404 && isUnknownKind(String(reason), String(message))) {
    return '; no such resource: is deploy/kubernetes/base/crd.yaml applied, and is this an API server?';
  }
  return '';
}

/** A group that nobody serves is answered as plain text; a kind that is not in its group, like a missing object. */
function isUnknownKind(reason: string, message: string): boolean {
  return reason === '' || message.includes('could not find the requested resource');
}

function causesOf({ details }: Readonly<Record<string, unknown>>): readonly FieldCause[] {
  const causes = isRecord(details) && Array.isArray(details['causes']) ? details['causes'] : [];
  return causes.flatMap((cause: unknown): FieldCause[] => {
    if (!isRecord(cause) || typeof cause['message'] !== 'string') return [];
    return [{ at: typeof cause['field'] === 'string' ? cause['field'] : '', message: cause['message'] }];
  });
}

/** No answer at all, or one that broke off. */
export function transportFailure(what: string, error: unknown): ControllerError {
  const code = isRecord(error) && typeof error['code'] === 'string' ? error['code'] : '';
  const text = messageOf(error) || code || 'no connection';
  const named = code !== '' && !text.includes(code) ? `${text} (${code})` : text;
  return new ControllerError('source', `${what}: ${named}`, { cause: error });
}
