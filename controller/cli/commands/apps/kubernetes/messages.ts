import type { ApiFailure } from '../../../../kubernetes/api-failure.ts';
import { objectKey } from '../../../../kubernetes/resources.ts';
import type { KnownObject } from './cluster.ts';

/** `MarathonApp default/web-0f1e2d3c4b`. */
export function shownObject(object: Pick<KnownObject, 'name' | 'namespace'>): string {
  return `MarathonApp ${objectKey(object)}`;
}

/** Why the API server refused a write, and what to do, one line each. `what`: `update /web`. */
export function failureLines(what: string, failure: ApiFailure): readonly string[] {
  const { status, reason, serverMessage, causes } = failure;
  if (failure.unknownKind) {
    return [
      `${what}: this API server has no MarathonApps; kubectl apply --server-side -f deploy/kubernetes/base/crd.yaml`,
    ];
  }
  if (status === 409 && reason === 'AlreadyExists')
    return [`${what}: ${serverMessage}; app update changes it`];
  if (status === 409) {
    return [
      `${what}: ${serverMessage}`,
      'someone else has changed it: read it with app show and repeat, or overwrite it with --force',
    ];
  }
  if (status === 403) {
    return [`${what}: ${serverMessage}; deploy/kubernetes/samples/roles.yaml has a role that may`];
  }
  if (status === 404) return [`${what}: ${serverMessage}`];
  if (status === 400 || status === 422) {
    const fields = causes.map(({ at, message }) => `  ${at === '' ? '' : `${at}: `}${message}`);
    // The causes follow, so the sentence need not repeat them.
    const whole =
      fields.length === 0 ? serverMessage : serverMessage.replace(/ is invalid: .*$/s, ' is invalid');
    return [`${what}: the API server rejected it: ${whole}`, ...fields];
  }
  return [failure.message];
}

/** Why an object that a relay writes is not changed. */
export function relayLine(what: string, object: KnownObject, instead: string): string {
  return `${what}: the relay "${object.relay}" writes ${shownObject(object)}, from its source: ${instead} there; --force does it here, until the relay writes again`;
}
