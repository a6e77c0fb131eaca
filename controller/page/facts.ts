import type { ShellFacts } from '../api/page/facts.ts';

/** The facts that the server put into the page's head. */
export const facts: ShellFacts = JSON.parse(
  document.querySelector<HTMLMetaElement>('meta[name=facts]')?.content ?? '{}',
);
