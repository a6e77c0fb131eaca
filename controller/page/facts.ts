import type { ShellFacts } from '../api/page/facts.ts';

/** What the server has put into the page's head. */
export const facts: ShellFacts = JSON.parse(
  document.querySelector<HTMLMetaElement>('meta[name=facts]')?.content ?? '{}',
);
