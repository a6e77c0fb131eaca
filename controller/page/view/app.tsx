import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { facts } from '../facts.ts';
import { Editor } from '../form/view/editor.tsx';
import { useFeed } from '../hooks.ts';
import { parseRoute, type Route } from '../route.ts';
import { AppList } from './app-list.tsx';
import { Banner } from './banner.tsx';
import { Diff } from './diff.tsx';
import { Entrance } from './entrance.tsx';
import { Header } from './header.tsx';
import { Host } from './host.tsx';
import { Services } from './services.tsx';
import { Vip } from './vip.tsx';

const FRONT = facts.dryRun ? 'diff' : 'services';

/** The whole page. */
export function App(): VNode {
  const feed = useFeed();
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const location = route.page + ('id' in route ? route.id : '');
  const previous = useRef(location);
  useEffect(() => {
    document.title = `${TITLES[route.page]}${'id' in route ? ` ${route.id}` : ''} - marathon-ipvs`;
    // Keyboard and screen-reader users continue at the start of the new page.
    if (previous.current !== location) main.current?.focus();
    previous.current = location;
  }, [location]);
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: a link, so that screen readers list it; the URL hash holds the route, so the link must not change it */}
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to content
      </a>
      <Header feed={feed} page={route.page} front={FRONT} />
      <main id="main" tabindex={-1} ref={main}>
        {feed.refused === null ? (
          <>
            <Banner feed={feed} />
            {pageOf(route, feed)}
          </>
        ) : (
          <Entrance refused={feed.refused} />
        )}
      </main>
    </>
  );
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
      return <Services feed={feed} query={route.query} />;
    case 'vip':
      return <Vip key={route.id} feed={feed} id={route.id} />;
    case 'diff':
      return <Diff feed={feed} />;
    case 'host':
      return <Host feed={feed} />;
    case 'apps':
      return <AppList />;
    case 'new':
      return <Editor key="new" feed={feed} id={null} />;
    case 'edit':
      return <Editor key={route.id} feed={feed} id={route.id} />;
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
