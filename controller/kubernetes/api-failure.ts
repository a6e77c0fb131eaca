import { ControllerError, messageOf } from '../errors.ts';
import { isRecord, shown } from '../input/rejection.ts';

/** An error response of the API server. The message is for an operator. */
export class ApiFailure extends ControllerError {
  /** HTTP status of the response, or code of the `Status` object in a watch. */
  readonly status: number;
  /** Kubernetes' reason: `Conflict`, `Expired`, `TooManyRequests`. Empty if a proxy answered. */
  readonly reason: string;
  /** The server's or proxy's own message, without the request. */
  readonly serverMessage: string;
  /** Messages about single fields, if any. */
  readonly causes: readonly FieldCause[];
  /** How long the server asks to wait; null if it does not. */
  readonly retryAfterMs: number | null;

  constructor(what: string, answer: Answer) {
    const { status, body, retryAfter } = answer;
    const object = isRecord(body) ? body : {};
    const text = bounded(typeof object['message'] === 'string' ? object['message'] : shown(body ?? ''));
    const never = status === 401 || (status === 403 && isRbac(String(object['message'] ?? '')));
    super(
      'source',
      `${what}: answered ${status}${text === '' ? '' : ` "${text}"`}${advice(status, object)}`,
      {
        retry: never ? 'never' : 'later',
      },
    );
    this.status = status;
    this.reason = typeof object['reason'] === 'string' ? object['reason'] : '';
    this.serverMessage = text;
    this.causes = causesOf(object);
    this.retryAfterMs = retryAfterMs(retryAfter, object);
  }

  /** Whether the server does not know the kind, as before its CRD is applied. */
  get unknownKind(): boolean {
    return this.status === 404 && isUnknownKind(this.reason, this.serverMessage);
  }

  /** Whether the server no longer has the version to continue from: everything must be listed again. */
  get expired(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }

  /** Whether the server does not have the version yet: another one is behind, or etcd was restored from a backup. */
  get tooNew(): boolean {
    return this.status === 504 && this.serverMessage.includes('Too large resource version');
  }
}

/** A field that the server rejects, and why. */
export interface FieldCause {
  /** `spec.endpoints`; empty for the whole object. */
  readonly at: string;
  readonly message: string;
}

/** An answer of the server that is an error. */
export interface Answer {
  readonly status: number;
  /** A `Status` object, or the text that a proxy answered. */
  readonly body: unknown;
  readonly retryAfter?: string | undefined;
}

/** Limit for Retry-After, so that a misconfigured proxy cannot stop us for a day. */
const MAX_RETRY_AFTER_MS = 60_000;

function retryAfterMs(header: string | undefined, body: Readonly<Record<string, unknown>>): number | null {
  const { details } = body;
  const given = isRecord(details) ? details['retryAfterSeconds'] : undefined;
  const seconds = header !== undefined && /^\d+$/.test(header) ? Number(header) : given;
  return typeof seconds === 'number' && seconds > 0 ? Math.min(MAX_RETRY_AFTER_MS, seconds * 1_000) : null;
}

function advice(status: number, body: Readonly<Record<string, unknown>>): string {
  if (status === 401)
    return '; the credentials are not accepted: check the kubeconfig file or the service account';
  const { reason = '', message = '' } = body;
  if (status === 403) return forbiddenBy(String(message));
  if (status === 500 && /failed calling webhook/.test(String(message)))
    return '; an admission webhook of the cluster does not answer: check the service behind it, or its failurePolicy';
  if (status === 404 && isUnknownKind(String(reason), String(message))) {
    return '; no such resource: is deploy/kubernetes/base/crd.yaml applied, and is this an API server?';
  }
  return '';
}

/** How to fix a 403. The server's own message names the quota or webhook. */
function forbiddenBy(message: string): string {
  if (/exceeded quota|insufficient quota/.test(message))
    return '; raise the ResourceQuota of the namespace, or remove other objects';
  if (/admission webhook|ValidatingAdmissionPolicy/.test(message))
    return '; an admission rule of the cluster refuses this object';
  return isRbac(message) ? '; RBAC does not allow it: see deploy/kubernetes/base/rbac.yaml' : '';
}

/** Whether an authorizer refused. A refusal without a message counts as one, since quotas and admission rules name themselves. */
function isRbac(message: string): boolean {
  return message === '' || /\bcannot \S+ (resource|path)\b/.test(message);
}

/** A webhook may answer megabytes, which would go to the log with each attempt. */
const MAX_MESSAGE = 1_000;
const MAX_CAUSES = 100;

function bounded(text: string): string {
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE - 1)}…` : text;
}

/** For an unknown group the server answers with plain text; for an unknown kind as for a missing object. */
function isUnknownKind(reason: string, message: string): boolean {
  return reason === '' || message.includes('could not find the requested resource');
}

function causesOf({ details }: Readonly<Record<string, unknown>>): readonly FieldCause[] {
  const causes = isRecord(details) && Array.isArray(details['causes']) ? details['causes'] : [];
  return causes.slice(0, MAX_CAUSES).flatMap((cause: unknown): FieldCause[] => {
    if (!isRecord(cause) || typeof cause['message'] !== 'string') return [];
    return [
      {
        at: typeof cause['field'] === 'string' ? bounded(cause['field']) : '',
        message: bounded(cause['message']),
      },
    ];
  });
}

/** Creates the error for a request without a complete response. */
export function transportFailure(what: string, error: unknown): ControllerError {
  const code = isRecord(error) && typeof error['code'] === 'string' ? error['code'] : '';
  const text = messageOf(error) || code || 'no connection';
  const named = code !== '' && !text.includes(code) ? `${text} (${code})` : text;
  return new ControllerError('source', `${what}: ${named}`, { cause: error });
}
