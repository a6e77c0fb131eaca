/** The route in the URL hash. */

export type Route =
  | { readonly page: 'services' | 'diff' | 'host' | 'apps' | 'new'; readonly query: URLSearchParams }
  | { readonly page: 'vip' | 'edit'; readonly id: string; readonly query: URLSearchParams };

const PLAIN = ['services', 'diff', 'host', 'apps', 'new'] as const;
const WITH_ID = ['vip', 'edit'] as const;

/** Parses a hash; an unknown one means `front`. */
export function parseRoute(hash: string, front: 'services' | 'diff'): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  const [first, ...rest] = path.split('/');
  const plain = PLAIN.find((page) => page === first);
  if (plain !== undefined && rest.length === 0) return { page: plain, query };
  const withId = WITH_ID.find((page) => page === first);
  const id = decoded(rest.join('/'));
  return withId !== undefined && id !== '' ? { page: withId, id, query } : { page: front, query };
}

export function vipLink(id: string): string {
  return `#/vip/${encodeURIComponent(id)}`;
}

export function editLink(app: string): string {
  return `#/edit/${encodeURIComponent(app)}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
