import type { TraceDocument } from './document.ts';

/** The verdict and its cause, in words: `Broken` and `every backend fails its health check (unhealthy)`. */
export function verdictText({ verdict, cause, title }: Pick<TraceDocument, 'verdict' | 'cause' | 'title'>): {
  readonly word: string;
  readonly about: string | null;
} {
  if (cause !== null) return { word: 'Broken', about: `${title} (${cause})` };
  return { word: verdict === 'works' ? 'Works' : 'Unknown', about: null };
}
