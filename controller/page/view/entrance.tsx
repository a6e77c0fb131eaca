import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { facts } from '../facts.ts';
import type { Refusal } from '../feed.ts';
import { readToken } from '../token.ts';

/** Shown instead of the page if the controller refuses access; prompts for the read token if there is one. */
export function Entrance({ refused }: { readonly refused: Refusal }): VNode {
  const [typed, setTyped] = useState('');
  const enter = (event: Event) => {
    event.preventDefault();
    readToken.set(typed.trim());
  };
  const { hadToken, text } = refused;
  if (!facts.readToken)
    return (
      <>
        <h1>Access denied</h1>
        <p role="alert">{`The controller refuses access: ${text}`}</p>
      </>
    );
  return (
    <>
      <h1>Token required</h1>
      <p>This controller shows nothing without a token.</p>
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
          The token in the controller&rsquo;s --read-token-file. Kept until this tab is closed.
        </span>
      </form>
      {hadToken && <p class="error" role="alert">{`The controller does not accept this token: ${text}`}</p>}
    </>
  );
}
