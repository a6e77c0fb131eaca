import type { ShownFacts } from '../api/page/facts.ts';

/** What the server has put into the page's head. */
export const facts: ShownFacts = JSON.parse(
  document.querySelector<HTMLMetaElement>('meta[name=facts]')?.content ?? '{}',
);
