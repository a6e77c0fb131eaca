import type { WayDocument } from './document.ts';

/** What walking a way came to, and what is broken: `Broken` and `every backend fails its health check (unhealthy)`. */
export function verdictWords({ verdict, cause, title }: Pick<WayDocument, 'verdict' | 'cause' | 'title'>): {
  readonly word: string;
  readonly about: string | null;
} {
  if (cause !== null) return { word: 'Broken', about: `${title} (${cause})` };
  return { word: verdict === 'works' ? 'Works' : 'Could not find out', about: null };
}
