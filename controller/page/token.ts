import { useEffect, useState } from 'preact/hooks';

/** A token as it was typed. */
export interface Token {
  current(): string;
  /** Also tells of one that is entered again. */
  set(next: string): void;
  /** Calls back until the function that it returns is called. */
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

/** Kept while the page is open and nowhere else: what writes apps should not lie in a browser's files. */
export const writeToken = createToken({ read: () => '', keep: () => undefined });

const PLACE = 'read-token';

/** Kept until the tab is closed, so that the page can be loaded again; each tab asks for it. */
export const readToken = createToken({
  read() {
    try {
      return sessionStorage.getItem(PLACE) ?? '';
    } catch {
      // A browser may be told to keep nothing.
      return '';
    }
  },
  keep(token) {
    try {
      sessionStorage.setItem(PLACE, token);
    } catch {
      // It then holds until the page is left.
    }
  },
});

/** The token that writing apps needs, and the function that changes it. */
export function useWriteToken(): readonly [string, (next: string) => void] {
  const [, draw] = useState(0);
  useEffect(() => writeToken.onSet(() => draw((count) => count + 1)), []);
  return [writeToken.current(), writeToken.set];
}
