import { useEffect, useState } from 'preact/hooks';

/** A token that the user enters. */
export interface Token {
  current(): string;
  /** Sets the token and calls the listeners, even if it is the same again. */
  set(next: string): void;
  /** Calls `listener` whenever the token is set; returns a function that removes it. */
  onSet(listener: () => void): () => void;
}

function createToken(kept: { read(): string; keep(token: string): void }): Token {
  let token = kept.read();
  const listeners = new Set<() => void>();
  return {
    current: () => token,
    set(next) {
      token = next;
      kept.keep(next);
      for (const listener of listeners) listener();
    },
    onSet(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Kept in memory only: a token that can write apps should not end up in the browser's files. */
export const writeToken = createToken({ read: () => '', keep: () => undefined });

const STORAGE_KEY = 'read-token';

/** Kept until the tab is closed, so that it survives a reload; each tab prompts for it. */
export const readToken = createToken({
  read() {
    try {
      return sessionStorage.getItem(STORAGE_KEY) ?? '';
    } catch {
      // The browser may be configured to block storage.
      return '';
    }
  },
  keep(token) {
    try {
      sessionStorage.setItem(STORAGE_KEY, token);
    } catch {
      // Without storage the token lasts until the page is closed.
    }
  },
});

/** The write token, and the function that sets it. */
export function useWriteToken(): readonly [string, (next: string) => void] {
  const [, render] = useState(0);
  useEffect(() => writeToken.onSet(() => render((count) => count + 1)), []);
  return [writeToken.current(), writeToken.set];
}
