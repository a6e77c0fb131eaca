import { parseUrl } from '../input/host-name.ts';
import { shown } from '../input/rejection.ts';
import { Failure } from './failure.ts';

/** A decoded part of a URL; unchanged if it cannot be decoded. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `path` relative to the master's own path, which DC/OS needs: `https://master/service/marathon`. */
export function resolve(master: URL, path: string): URL {
  return new URL(`${master.origin}${master.pathname.replace(/\/+$/, '')}${path}`);
}

/** The target of a redirect, without credentials. Throws a `Failure` if it is not HTTP. */
export function redirected(location: string, from: URL): URL {
  const url = parseUrl(location, from);
  if (url === null)
    throw new Failure(`redirected to "${shownTarget(location)}", which is not a URL`, 'later');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Failure(`redirected to ${url.protocol}, which is not HTTP`, 'later');
  }
  url.username = '';
  url.password = '';
  return url;
}

/** The target of a redirect for messages: without query and credentials, where a log-in page gets its tokens. */
export function shownTarget(location: string): string {
  const [place = ''] = location.split(/[?#]/);
  return shown(place.replace(/^((?:[a-z][a-z\d+.-]*:)?[/\\]{2})[^/\\]*@/i, '$1'));
}
