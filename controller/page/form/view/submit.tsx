import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { askApps, errorOf, type Reply } from '../../api.ts';
import type { Feed } from '../../feed.ts';
import { vipLink } from '../../route.ts';
import { useWriteToken } from '../../token.ts';
import { StateBadge } from '../../view/badge.tsx';
import { marathonErrors } from '../complaints.ts';
import { type Goal, vipsIn } from '../deployment-state.ts';
import type { Editing } from '../editing.ts';
import { isObject, textAt } from '../json.ts';
import { absoluteId, type ServiceForm } from '../model.ts';
import { type FieldErrors, NO_ERRORS } from '../validate.ts';
import { Deployment } from './deployment.tsx';

type Method = 'POST' | 'PUT' | 'DELETE';

/** What became of what was sent. */
interface Result {
  readonly method: Method;
  readonly app: string;
  readonly done: boolean;
  /** Deployments that have it locked, null where none has: it can be sent with force. */
  readonly lockedBy: readonly string[] | null;
  /** The deployment that carries it out; null where there is nothing to do, or nothing was taken. */
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
    const reply = await askApps(token, {
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
  const said = reply.status === 422 ? marathonErrors(body) : NO_ERRORS;
  return {
    method,
    app,
    done,
    lockedBy: reply.status === 409 && body['why'] === 'locked' ? idsOf(body['deployments']) : null,
    goal: deployment === '' ? null : { deployment, app, vips },
    errors: done || said.size > 0 ? said : new Map([['', [errorOf(reply)]]]),
  };
}

function idsOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

const DONE: Readonly<Record<Method, string>> = {
  POST: 'was created',
  PUT: 'was changed',
  DELETE: 'is to be removed',
};

interface OutcomeProps {
  readonly feed: Feed;
  readonly result: Result | null;
  readonly force: (method: Method) => void;
}

/** What became of it, and from then on the VIPs of the app as this host has them. */
export function Outcome({ feed, result, force }: OutcomeProps): VNode | null {
  if (result === null) return null;
  const { method, app, done, lockedBy, goal } = result;
  if (!done) {
    return lockedBy !== null ? (
      <>
        {lockedBy.length > 0 && <p>Locked by deployment {lockedBy.join(', ')}.</p>}
        <p>
          <button type="button" onClick={() => force(method)}>
            Send with force: end that deployment
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
          {goal === null && '; Marathon has nothing to do for it'}.
        </p>
        {rows.length === 0 && (
          <p>
            {method === 'DELETE' ? 'No VIP of it is left on this host.' : 'This host has no VIP of it yet.'}
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
