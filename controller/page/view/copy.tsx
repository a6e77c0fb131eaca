import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** A button that copies `text` to the clipboard; `what` describes the text: `name web.marathon…`. */
export function Copy({ text, what }: { readonly text: string; readonly what: string }): VNode {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 2_000);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () =>
    void navigator.clipboard.writeText(text).then(
      () => setDone(true),
      () => undefined,
    );
  return (
    <button
      type="button"
      class="copy"
      onClick={copy}
      aria-label={done ? `Copied ${what}` : `Copy ${what}`}
      title={`Copy ${what}`}
    >
      {done ? 'Copied' : 'Copy'}
    </button>
  );
}
