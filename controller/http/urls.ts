import { Failure } from './failure.ts';

/** A part of a URL as it was meant; as it stands where it cannot be decoded. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `path` below the master's own path, which DC/OS needs: `https://master/service/marathon`. */
export function resolve(master: URL, path: string): URL {
  return new URL(`${master.origin}${master.pathname.replace(/\/+$/, '')}${path}`);
}

/** Where a redirect leads, without credentials. Throws a `Failure` where that is no HTTP. */
export function redirected(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href))
    throw new Failure(`redirected to "${location}", which is no URL`, 'later');
  const url = new URL(location, from);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Failure(`redirected to ${url.protocol}, which is not HTTP`, 'later');
  }
  url.username = '';
  url.password = '';
  return url;
}
