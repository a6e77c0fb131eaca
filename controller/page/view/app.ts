import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { facts } from '../facts.ts';
import { Editor } from '../form/view/editor.ts';
import { useFeed } from '../hooks.ts';
import { html } from '../html.ts';
import { parseRoute, type Route } from '../route.ts';
import { AppList } from './app-list.ts';
import { Banner } from './banner.ts';
import { Diff } from './diff.ts';
import { Entrance } from './entrance.ts';
import { Header } from './header.ts';
import { Host } from './host.ts';
import { Services } from './services.ts';
import { Vip } from './vip.ts';

const FRONT = facts.dryRun ? 'diff' : 'services';

/** The whole page. */
export function App(): VNode {
  const feed = useFeed();
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const place = route.page + ('id' in route ? route.id : '');
  const before = useRef(place);
  useEffect(() => {
    document.title = `${TITLES[route.page]}${'id' in route ? ` ${route.id}` : ''} - marathon-ipvs`;
    // Who came by keyboard or hears the page goes on where the new one begins.
    if (before.current !== place) main.current?.focus();
    before.current = place;
  }, [place]);
  return html`
    <a class="skip" href="#main" onClick=${(event: Event) => {
      event.preventDefault();
      main.current?.focus();
    }}>Skip to content</a>
    <${Header} feed=${feed} page=${route.page} front=${FRONT} />
    <main id="main" tabindex="-1" ref=${main}>
      ${
        feed.refused === null
          ? html`<${Banner} feed=${feed} />${pageOf(route, feed)}`
          : html`<${Entrance} refused=${feed.refused} />`
      }
    </main>`;
}

const TITLES: Readonly<Record<Route['page'], string>> = {
  services: 'Services',
  vip: 'Service',
  diff: 'Diff',
  host: 'Host',
  apps: 'Apps',
  new: 'New service',
  edit: 'Edit',
};

function pageOf(route: Route, feed: ReturnType<typeof useFeed>): VNode {
  switch (route.page) {
    case 'services':
      return html`<${Services} feed=${feed} query=${route.query} />`;
    case 'vip':
      return html`<${Vip} key=${route.id} feed=${feed} id=${route.id} />`;
    case 'diff':
      return html`<${Diff} feed=${feed} />`;
    case 'host':
      return html`<${Host} feed=${feed} />`;
    case 'apps':
      return html`<${AppList} />`;
    case 'new':
      return html`<${Editor} key="new" feed=${feed} id=${null} />`;
    case 'edit':
      return html`<${Editor} key=${route.id} feed=${feed} id=${route.id} />`;
  }
}

function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return parseRoute(hash, FRONT);
}
