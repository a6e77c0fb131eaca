import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { html } from '../html.ts';
import { useToken } from '../token.ts';

/** Asks for the token; it counts once it has been entered, so that nothing is asked with half of it. */
export function TokenField(): VNode {
  const [token, setToken] = useToken();
  const [typed, setTyped] = useState(token);
  const enter = (event: Event) => {
    event.preventDefault();
    setToken(typed.trim());
  };
  return html`
    <form class="token" onSubmit=${enter}>
      <label>Token
        <input type="password" autocomplete="off" value=${typed} aria-describedby="token-help"
          onInput=${({ currentTarget }: { currentTarget: HTMLInputElement }) => setTyped(currentTarget.value)} />
      </label>
      <button type="submit" disabled=${typed.trim() === token}>Use</button>
      <span class="quiet" id="token-help">${token === '' ? 'What --write-token-file of the controller holds.' : 'Kept until this page is closed.'}</span>
    </form>`;
}
