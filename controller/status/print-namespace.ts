import type { Layout } from '../text/table.ts';
import { visibleDocument } from '../text/visible.ts';
import type { StatusDocument } from './document.ts';
import { ago, plural } from './format.ts';

type NamespaceDocument = NonNullable<StatusDocument['networkNamespaces']>['namespaces'][number];

/** Formats the state of one network namespace. `at` is the time of the status document. */
export function namespaceText(
  document: NamespaceDocument,
  at: string,
  { paint }: Pick<Layout, 'paint'>,
): string {
  const { id, path, vips, inSync, reason, since } = visibleDocument(document);
  const state = inSync ? paint('green', 'in sync') : paint('yellow', 'not in sync');
  const why = reason === null ? '' : `: ${reason}`;
  const where = path === null ? '' : ` (${path})`;
  return `network namespace ${id}${where}: ${plural(vips, 'VIP')}, ${state} for ${ago(since, at)}${why}\n`;
}
