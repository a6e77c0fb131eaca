import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { facts } from '../facts.ts';
import { useWriteToken } from '../token.ts';

/** Prompts for the write token, unless the browser's certificate replaces it. The token is used when submitted, not while it is typed. */
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
          ? 'The token in the controller’s --write-token-file.'
          : 'Kept until this page is closed.'}
      </span>
    </form>
  );
}
