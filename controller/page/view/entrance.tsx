import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { facts } from '../facts.ts';
import type { Refusal } from '../feed.ts';
import { readToken } from '../token.ts';

/** What stands in place of the pages for whom the controller tells nothing: it asks for the token, where one would do. */
export function Entrance({ refused }: { readonly refused: Refusal }): VNode {
  const [typed, setTyped] = useState('');
  const enter = (event: Event) => {
    event.preventDefault();
    readToken.set(typed.trim());
  };
  const { tried, text } = refused;
  if (!facts.readToken)
    return (
      <>
        <h1>Not let in</h1>
        <p role="alert">{`The controller says: ${text}`}</p>
      </>
    );
  return (
    <>
      <h1>A token is needed</h1>
      <p>This controller tells nothing without one.</p>
      <form class="token" onSubmit={enter}>
        <label>
          Read token
          <input
            type="password"
            autocomplete="off"
            value={typed}
            aria-describedby="entrance-help"
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={typed.trim() === ''}>
          Enter
        </button>
        <span class="quiet" id="entrance-help">
          What --read-token-file of the controller holds. Kept until this tab is closed.
        </span>
      </form>
      {tried && <p class="error" role="alert">{`Not accepted. The controller says: ${text}`}</p>}
    </>
  );
}
