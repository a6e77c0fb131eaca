import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { facts } from '../facts.ts';
import { useWriteToken } from '../token.ts';

/** Asks for the token that writing needs, where the browser's certificate does not do; it counts once it has been entered, so that nothing is asked with half of it. */
export function TokenField(): VNode | null {
  const [token, setToken] = useWriteToken();
  const [typed, setTyped] = useState(token);
  const enter = (event: Event) => {
    event.preventDefault();
    setToken(typed.trim());
  };
  if (facts.certified) return null;
  return (
    <form class="token" onSubmit={enter}>
      <label>
        Token
        <input
          type="password"
          autocomplete="off"
          value={typed}
          aria-describedby="token-help"
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={typed.trim() === token}>
        Use
      </button>
      <span class="quiet" id="token-help">
        {token === ''
          ? 'What --write-token-file of the controller holds.'
          : 'Kept until this page is closed.'}
      </span>
    </form>
  );
}
