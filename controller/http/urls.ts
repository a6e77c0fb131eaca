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
  if (!URL.canParse(location, from.href))
    throw new Failure(`redirected to "${location}", which is not a URL`, 'later');
  const url = new URL(location, from);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Failure(`redirected to ${url.protocol}, which is not HTTP`, 'later');
  }
  url.username = '';
  url.password = '';
  return url;
}
