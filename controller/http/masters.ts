import { ControllerError } from '../errors.ts';
import { parseUrl } from '../input/host-name.ts';

/**
 * The equal masters of one Marathon or Mesos. It also decides which hosts may get the credentials: the masters themselves
 * and the leader that one of them names, over the same scheme.
 */
export class Masters {
  readonly urls: readonly URL[];
  #preferred = 0;
  #leader: string | undefined;
  /** All leaders so far: each of them may lead again. */
  readonly #leaders = new Set<string>();

  constructor(urls: readonly URL[]) {
    this.urls = urls;
  }

  /** URLs of the masters and of the leaders that they named. */
  get servers(): readonly string[] {
    return [...this.urls.map(shownUrl), ...this.#leaders];
  }

  /** All masters, starting with the one that answered last. */
  inOrder(): readonly URL[] {
    return [...this.urls.slice(this.#preferred), ...this.urls.slice(0, this.#preferred)];
  }

  answered(master: URL): void {
    this.#preferred = Math.max(0, this.urls.indexOf(master));
  }

  isConfigured(url: URL): boolean {
    return this.urls.some(({ origin }) => origin === url.origin);
  }

  trusts(url: URL): boolean {
    return url.origin === this.#leader || this.isConfigured(url);
  }

  /** Records the leader, `http://host:port`, that an answer of `by` named; ignores one from a host that is not trusted. */
  noteLeader(by: URL, named: string | undefined): void {
    if (named === undefined || !this.trusts(by)) return;
    const leader = parseUrl(named);
    if (leader === null) return;
    if (leader.protocol !== by.protocol) return;
    this.#leader = leader.origin;
    this.#leaders.delete(leader.origin);
    this.#leaders.add(leader.origin);
    for (const oldest of this.#leaders) {
      if (this.#leaders.size <= MAX_LEADERS) break;
      this.#leaders.delete(oldest);
    }
  }
}

const MAX_LEADERS = 16;

/**
 * Parses `http://a:8080,http://b:8080`; URLs after the first may omit the scheme. Throws a `ControllerError` code `usage`,
 * which names `peer`, for anything else. Credentials in a URL are kept: the caller must remove them.
 */
export function parseMasters(where: string, peer: string): readonly URL[] {
  const texts = where.split(',').map((text) => text.trim());
  const scheme = /^https?:\/\//i.exec(texts[0] ?? '')?.[0];
  return texts.map((text) => {
    const full = /^[a-z]+:\/\//i.test(text) || scheme === undefined ? text : `${scheme}${text}`;
    const url = /^https?:\/\/[^/]/i.test(full) ? parseUrl(full) : null;
    if (url === null) {
      const shown = text.replace(/^((?:[a-z]+:)?\/\/)?.*@/is, (_, start = '') => start);
      throw new ControllerError(
        'usage',
        `${peer}'s address "${shown}": expected http://HOST:PORT or https://HOST:PORT`,
        {
          retry: 'never',
        },
      );
    }
    return url;
  });
}

/** A URL for messages, without credentials. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname === '/' ? '' : url.pathname}${url.search}`;
}
