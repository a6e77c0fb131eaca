import { createHash } from 'node:crypto';
import type { App } from '../model.ts';

/**
 * Name of the MarathonApp of an app, whoever writes it, a relay or a person: readable, and unique by a hash, since ids
 * are longer and have other characters than DNS labels. In one namespace two writers of one app thus meet.
 */
export function objectName({ framework, id }: Pick<App, 'framework' | 'id'>): string {
  const readable = id
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  return `${readable === '' ? 'app' : readable}-${hashOf([framework, id])}`;
}

/** Ten hexadecimal digits that tell values apart. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 10);
}
