import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { errorOf, type Reply, requestApps } from '../../api.ts';
import type { Feed } from '../../feed.ts';
import { vipLink } from '../../route.ts';
import { useWriteToken } from '../../token.ts';
import { StateBadge } from '../../view/badge.tsx';
import { type Goal, vipsIn } from '../deployment-state.ts';
import type { Editing } from '../editing.ts';
import { isObject, textAt } from '../json.ts';
import { marathonErrors } from '../marathon-errors.ts';
import { absoluteId, type ServiceForm } from '../model.ts';
import { type FieldErrors, NO_ERRORS } from '../validate.ts';
import { Deployment } from './deployment.tsx';

type Method = 'POST' | 'PUT' | 'DELETE';

/** The result of a write. */
interface Result {
  readonly method: Method;
  readonly app: string;
  readonly done: boolean;
  /** The deployments that lock the app, so that it needs `force`; null if it is not locked. */
  readonly lockedBy: readonly string[] | null;
  /** The deployment to wait for; null if there is nothing to do, or the write was refused. */
  readonly goal: Goal | null;
  readonly errors: FieldErrors;
}

/** Sends the app, one request at a time. */
export function useSubmit(id: string | null) {
  const [token] = useWriteToken();
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<Result | null>(null);

  async function submit(method: Method, { json, text, form }: Editing, force = false): Promise<void> {
    setBusy(true);
    const app = id ?? absoluteId(String(json['id']));
    const where = method === 'POST' ? {} : { id: app };
    const reply = await requestApps(token, {
      method,
      ...where,
      ...(method !== 'DELETE' && { text }),
      force,
    });
    setResult(resultOf(method, app, reply, form));
    setBusy(false);
  }

  return { submit, busy, result, clear: () => setResult(null) };
}

function resultOf(method: Method, app: string, reply: Reply, form: ServiceForm): Result {
  const body = isObject(reply.body) ? reply.body : {};
  const done = reply.status >= 200 && reply.status < 300;
  const deployment = done ? textAt(body, 'deployment') : '';
  const vips = method === 'DELETE' ? 'gone' : vipsIn(form);
  const refused = reply.status === 422 ? marathonErrors(body) : NO_ERRORS;
  return {
    method,
    app,
    done,
    lockedBy: reply.status === 409 && body['why'] === 'locked' ? idsOf(body['deployments']) : null,
    goal: deployment === '' ? null : { deployment, app, vips },
    errors: done || refused.size > 0 ? refused : new Map([['', [errorOf(reply)]]]),
  };
}

function idsOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

const DONE: Readonly<Record<Method, string>> = {
  POST: 'was created',
  PUT: 'was changed',
  DELETE: 'is being removed',
};

interface OutcomeProps {
  readonly feed: Feed;
  readonly result: Result | null;
  readonly force: (method: Method) => void;
}

/** The result of the write, and then the app's VIPs on this host. */
export function Outcome({ feed, result, force }: OutcomeProps): VNode | null {
  if (result === null) return null;
  const { method, app, done, lockedBy, goal } = result;
  if (!done) {
    return lockedBy !== null ? (
      <>
        {lockedBy.length > 0 && <p>Locked by deployment {lockedBy.join(', ')}.</p>}
        <p>
          <button type="button" onClick={() => force(method)}>
            Send with force and cancel that deployment
          </button>
        </p>
      </>
    ) : null;
  }
  const rows = [...(feed.known?.rows.values() ?? [])].filter((row) => row.apps.includes(app));
  return (
    <div class="outcome">
      <section role="status">
        <p>
          <span class="badge good">sent</span> <code>{app}</code> {DONE[method]}
          {goal === null && '; Marathon had nothing to change'}.
        </p>
        {rows.length === 0 && (
          <p>
            {method === 'DELETE'
              ? 'Its VIPs have been removed from this host.'
              : 'This host has none of its VIPs yet.'}
          </p>
        )}
        <ul>
          {rows.map((row) => (
            <li>
              <a href={vipLink(row.id)}>
                {row.fqdn ?? row.address}:{row.port}
              </a>{' '}
              {row.protocol} <StateBadge state={row.state} />{' '}
              {`${row.inRotation} of ${row.backends} backends in rotation`}
            </li>
          ))}
        </ul>
      </section>
      {goal !== null && <Deployment goal={goal} />}
    </div>
  );
}
