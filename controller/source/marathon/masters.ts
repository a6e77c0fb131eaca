import { ControllerError } from '../../errors.ts';

/**
 * The equal masters of one Marathon, and which hosts may see its credentials: the masters themselves, and the
 * leader that one of them names, over the same scheme.
 */
export class Masters {
  readonly urls: readonly URL[];
  #preferred = 0;
  #leader: string | undefined;

  constructor(urls: readonly URL[]) {
    this.urls = urls;
  }

  /** All of them, the one that answered last first. */
  inOrder(): readonly URL[] {
    return [...this.urls.slice(this.#preferred), ...this.urls.slice(0, this.#preferred)];
  }

  answered(master: URL): void {
    this.#preferred = Math.max(0, this.urls.indexOf(master));
  }

  trusts(url: URL): boolean {
    return url.origin === this.#leader || this.urls.some(({ origin }) => origin === url.origin);
  }

  /**
   * Takes the header `X-Marathon-Leader` of an answer: `http://host:port`, also on answers that a standby
   * passed on.
   */
  leaderNamed(by: URL, header: string | string[] | undefined): void {
    if (typeof header !== 'string' || !this.trusts(by) || !URL.canParse(header)) return;
    const leader = new URL(header);
    if (leader.protocol === by.protocol) this.#leader = leader.origin;
  }
}

/**
 * Parses `http://a:8080,http://b:8080`; a later one may leave out the scheme. Throws a `ControllerError` code
 * `usage` for anything else. A user name and password in a URL are the caller's to take out.
 */
export function parseMasters(where: string): readonly URL[] {
  const texts = where.split(',').map((text) => text.trim());
  const scheme = /^https?:\/\//i.exec(texts[0] ?? '')?.[0];
  return texts.map((text) => {
    const full = /^[a-z]+:\/\//i.test(text) || scheme === undefined ? text : `${scheme}${text}`;
    if (!/^https?:\/\/[^/]/i.test(full) || !URL.canParse(full)) {
      const shown = text.replace(/\/\/[^@/]*@/, '//');
      throw new ControllerError(
        'usage',
        `Marathon's address "${shown}": expected http://HOST:PORT or https://HOST:PORT`,
        {
          retry: 'never',
        },
      );
    }
    return new URL(full);
  });
}

/** A URL as messages show it: without credentials. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname === '/' ? '' : url.pathname}${url.search}`;
}
