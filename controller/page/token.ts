import { useEffect, useState } from 'preact/hooks';

/** Kept while the page is open and nowhere else: what writes apps should not lie in a browser's files. */
let token = '';
const listeners = new Set<() => void>();

/** The token that writing apps needs, as it was typed, and the function that changes it. */
export function useToken(): readonly [string, (next: string) => void] {
  const [, draw] = useState(0);
  useEffect(() => {
    const listener = () => draw((count) => count + 1);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return [token, setToken];
}

function setToken(next: string): void {
  token = next;
  for (const listener of listeners) listener();
}
