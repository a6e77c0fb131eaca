import { createHash } from 'node:crypto';
import type { App } from '../model/app.ts';

/**
 * Returns the name of an app's MarathonApp, whether a relay or the command line writes it: readable, and unique by a hash, since
 * ids may be longer and have other characters than DNS labels allow. Two writers of the same app thus use the same object.
 */
export function objectName({ framework, id }: Pick<App, 'framework' | 'id'>): string {
  const readable = id
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  return `${readable === '' ? 'app' : readable}-${hashOf([framework, id])}`;
}

/** A hash of ten hexadecimal digits. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 10);
}
