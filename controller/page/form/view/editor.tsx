import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { errorOf, requestApps } from '../../api.ts';
import { facts } from '../../facts.ts';
import type { Feed } from '../../feed.ts';
import { useWriteToken } from '../../token.ts';
import { Copy } from '../../view/copy.tsx';
import { TokenField } from '../../view/token-field.tsx';
import { type Editing, editForm, editText, startEditing } from '../editing.ts';
import type { JsonObject } from '../json.ts';
import { NEW_APP, type ServiceForm } from '../model.ts';
import { type FieldErrors, NO_ERRORS, validate } from '../validate.ts';
import { Basics } from './basics.tsx';
import { Networking } from './networking.tsx';
import { Outcome, useSubmit } from './submit.tsx';

interface EditorProps {
  readonly feed: Feed;
  /** Id of the edited app; null for a new one. */
  readonly id: string | null;
}

/** Creates or edits a service, with the form and the JSON side by side. */
export function Editor({ feed, id }: EditorProps): VNode {
  const [editing, setEditing] = useState<Editing | null>(id === null ? startEditing(NEW_APP) : null);
  const problem = useApp(id, editing, (app) => setEditing(startEditing(app)));
  return (
    <>
      <p class="path">
        <a href="#/apps">Apps</a>
      </p>
      <h1>{id === null ? 'New service' : `Edit ${id}`}</h1>
      {facts.writes ? <TokenField /> : <WritesDisabled id={id} />}
      {problem !== null && <p role="alert">{problem}</p>}
      {editing !== null && <Sheet feed={feed} id={id} editing={editing} setEditing={setEditing} />}
    </>
  );
}

function WritesDisabled({ id }: { readonly id: string | null }): VNode {
  const what =
    id === null ? (
      <>
        Copy the JSON and give it to Marathon, for example with <code>dcos marathon app add</code>.
      </>
    ) : (
      'The app cannot be read either.'
    );
  return (
    <p class="note">
      Writing is disabled on this controller (<code>--allow-writes</code> with <code>--write-token-file</code>
      ). {what}
    </p>
  );
}

/** Reads the app once there is a token; returns an error message if that fails. */
function useApp(
  id: string | null,
  editing: Editing | null,
  opened: (app: JsonObject) => void,
): string | null {
  const [token] = useWriteToken();
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (id === null || (token === '' && !facts.certified) || editing !== null) return;
    void requestApps(token, { method: 'GET', id }).then((reply) => {
      if (reply.status !== 200) return setProblem(errorOf(reply));
      setProblem(null);
      opened((reply.body as { readonly app: JsonObject }).app);
    });
  }, [id, token]);
  return problem;
}

interface SheetProps extends EditorProps {
  readonly editing: Editing;
  readonly setEditing: (editing: Editing) => void;
}

function Sheet({ feed, id, editing, setEditing }: SheetProps): VNode {
  const [jsonShown, showJson] = useState(false);
  const { submit, busy, result, clear } = useSubmit(id);
  const { form, json, textError } = editing;
  const found = validate(form, json);
  const refused = result?.errors ?? NO_ERRORS;
  // Errors of a new service are hidden until the first attempt to send it: the user has not reached those fields yet.
  const [tried, setTried] = useState(id !== null);
  const errors = together(tried ? found : NO_ERRORS, refused);
  const change = (next: ServiceForm) => {
    clear();
    setEditing(editForm(editing, next));
  };
  const send = (event: Event) => {
    event.preventDefault();
    setTried(true);
    if (found.size === 0 && textError === null) void submit(id === null ? 'POST' : 'PUT', editing);
    else requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
  };
  const name = id === null ? 'Run service' : 'Save and deploy';
  return (
    <div class={`sheet${jsonShown ? ' both' : ''}`}>
      <form class="editor" onSubmit={send} noValidate>
        <Basics form={form} change={change} errors={errors} isNew={id === null} />
        <Networking form={form} change={change} errors={errors} />
        {(errors.get('') ?? []).map((text) => (
          <p class="error" role="alert">
            {text}
          </p>
        ))}
        {tried && found.size > 0 && (
          <p class="error" role="alert">
            Correct the marked fields before sending.
          </p>
        )}
        <div class="actions">
          {facts.writes && (
            <button type="submit" class="main" disabled={busy || textError !== null}>
              {busy ? 'Sending' : name}
            </button>
          )}
          {facts.writes && id !== null && (
            <Remove id={id} remove={() => void submit('DELETE', editing)} busy={busy} />
          )}
          <button
            type="button"
            aria-pressed={jsonShown ? 'true' : 'false'}
            onClick={() => showJson(!jsonShown)}
          >
            JSON mode
          </button>
          <Copy text={editing.text} what="JSON" />
        </div>
        <Outcome feed={feed} result={result} force={(method) => void submit(method, editing, true)} />
      </form>
      {jsonShown && (
        <JsonMode
          editing={editing}
          setEditing={(next) => {
            clear();
            setEditing(next);
          }}
        />
      )}
    </div>
  );
}

function together(first: FieldErrors, second: FieldErrors): FieldErrors {
  const all = new Map(first);
  for (const [field, texts] of second) all.set(field, [...(all.get(field) ?? []), ...texts]);
  return all;
}

interface JsonModeProps {
  readonly editing: Editing;
  readonly setEditing: (editing: Editing) => void;
}

function JsonMode({ editing, setEditing }: JsonModeProps): VNode {
  return (
    <section class="json" aria-label="JSON mode">
      <label for="json">App as JSON</label>
      <textarea
        id="json"
        spellcheck={false}
        autocomplete="off"
        value={editing.text}
        rows={24}
        aria-invalid={editing.textError === null ? undefined : 'true'}
        aria-describedby="json-error"
        onInput={({ currentTarget }) => setEditing(editText(editing, currentTarget.value))}
      ></textarea>
      <p id="json-error" class="error" role="status">
        {editing.textError === null ? '' : `The form does not have this change: ${editing.textError}`}
      </p>
    </section>
  );
}

interface RemoveProps {
  readonly id: string;
  readonly remove: () => void;
  readonly busy: boolean;
}

/** Removing stops every task, so it needs a confirmation. */
function Remove({ id, remove, busy }: RemoveProps): VNode {
  const [sure, setSure] = useState(false);
  if (!sure)
    return (
      <button type="button" class="danger" disabled={busy} onClick={() => setSure(true)}>
        Remove service
      </button>
    );
  return (
    <span class="sure" role="group" aria-label={`Remove ${id}`}>
      <button
        type="button"
        class="danger"
        disabled={busy}
        onClick={() => {
          setSure(false);
          remove();
        }}
      >{`Remove ${id} and stop its tasks`}</button>
      <button type="button" onClick={() => setSure(false)}>
        Keep
      </button>
    </span>
  );
}
