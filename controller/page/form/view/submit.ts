import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { askApps, errorOf } from '../../api.ts';
import type { Feed } from '../../feed.ts';
import { html } from '../../html.ts';
import { vipLink } from '../../route.ts';
import { useWriteToken } from '../../token.ts';
import { StateBadge } from '../../view/badge.ts';
import { marathonErrors } from '../complaints.ts';
import type { Editing } from '../editing.ts';
import { isObject } from '../json.ts';
import { absoluteId } from '../model.ts';
import { type FieldErrors, NO_ERRORS } from '../validate.ts';

type Method = 'POST' | 'PUT' | 'DELETE';

/** What became of what was sent. */
interface Result {
  readonly method: Method;
  readonly app: string;
  readonly done: boolean;
  /** A deployment has it locked: it can be sent with force. */
  readonly locked: boolean;
  readonly errors: FieldErrors;
}

/** Sends the app, one request at a time. */
export function useSubmit(id: string | null) {
  const [token] = useWriteToken();
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<Result | null>(null);

  async function submit(method: Method, { json, text }: Editing, force = false): Promise<void> {
    setBusy(true);
    const app = id ?? absoluteId(String(json['id']));
    const where = method === 'POST' ? {} : { id: app };
    const reply = await askApps(token, {
      method,
      ...where,
      ...(method !== 'DELETE' && { text }),
      force,
    });
    const done = reply.status >= 200 && reply.status < 300;
    const locked = reply.status === 409 && isObject(reply.body) && reply.body['why'] === 'locked';
    const said = reply.status === 422 ? marathonErrors(reply.body) : NO_ERRORS;
    const errors = done || said.size > 0 ? said : new Map([['', [errorOf(reply)]]]);
    setResult({ method, app, done, locked, errors });
    setBusy(false);
  }

  return { submit, busy, result, clear: () => setResult(null) };
}

const DONE: Readonly<Record<Method, string>> = {
  POST: 'was created; its deployment runs',
  PUT: 'was changed; its deployment runs',
  DELETE: 'is being removed',
};

interface OutcomeProps {
  readonly feed: Feed;
  readonly result: Result | null;
  readonly force: (method: Method) => void;
}

/** What became of it, and from then on the VIPs of the app as this host has them. */
export function Outcome({ feed, result, force }: OutcomeProps): VNode | null {
  if (result === null) return null;
  const { method, app, done, locked } = result;
  if (!done) {
    return locked
      ? html`<p><button type="button" onClick=${() => force(method)}>Send with force: end that deployment</button></p>`
      : null;
  }
  const rows = [...(feed.known?.rows.values() ?? [])].filter((row) => row.apps.includes(app));
  return html`
    <section class="outcome" role="status">
      <p><span class="badge good">sent</span> <code>${app}</code> ${DONE[method]}.</p>
      ${rows.length === 0 && html`<p>${method === 'DELETE' ? 'No VIP of it is left on this host.' : 'This host has no VIP of it yet.'}</p>`}
      <ul>
        ${rows.map(
          (row) =>
            html`<li><a href=${vipLink(row.id)}>${row.fqdn ?? row.address}:${row.port}</a> ${row.protocol} <${StateBadge} state=${row.state} /> ${`${row.inRotation} of ${row.backends} backends in rotation`}</li>`,
        )}
      </ul>
    </section>`;
}
