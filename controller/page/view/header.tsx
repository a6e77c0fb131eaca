import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { type Feed, freshnessOf } from '../feed.ts';
import { duration } from '../format.ts';
import { useNow } from '../hooks.ts';
import type { Route } from '../route.ts';
import { chooseTheme, chosenTheme, THEMES, type Theme } from '../theme.ts';

const SERVICES = { page: 'services', text: 'Services', also: ['vip'] } as const;
const DIFF = { page: 'diff', text: 'Diff', also: [] } as const;
const REST = [
  { page: 'host', text: 'Host', also: [] },
  { page: 'apps', text: 'Apps', also: ['new', 'edit'] },
] as const;

interface HeaderProps {
  readonly feed: Feed;
  readonly page: Route['page'];
  readonly front: 'services' | 'diff';
}

export function Header({ feed, page, front }: HeaderProps): VNode {
  const entries = front === 'diff' ? [DIFF, SERVICES, ...REST] : [SERVICES, DIFF, ...REST];
  return (
    <header class="top">
      <a class="brand" href="#/">
        marathon-ipvs
      </a>
      <nav aria-label="Pages">
        {entries.map(({ page: to, text, also }) => {
          const isCurrent = to === page || also.some((one) => one === page);
          return (
            <a href={`#/${to}`} aria-current={isCurrent ? 'page' : undefined}>
              {text}
            </a>
          );
        })}
      </nav>
      <Live feed={feed} />
      <ThemeSwitch />
    </header>
  );
}

/** Whether the shown state is current; screen readers announce only changes. */
function Live({ feed }: { readonly feed: Feed }): VNode {
  const fresh = freshnessOf(feed, useNow());
  const sources = feed.known?.overview.sources ?? [];
  const failing = sources.filter(({ failure }) => failure !== null).length;
  const [tone, text] =
    feed.refused !== null
      ? ['attention', 'Access denied']
      : fresh.kind === 'stale'
        ? ['bad', 'Not live']
        : fresh.kind === 'connecting'
          ? ['attention', 'Connecting']
          : failing > 0
            ? ['attention', 'Live, source stale']
            : ['good', 'Live'];
  return (
    <span class="live">
      <span class={`badge ${tone}`} role="status">
        {text}
      </span>
      {fresh.kind === 'stale' && <span class="quiet">{`for ${duration(fresh.seconds)}`}</span>}
    </span>
  );
}

const THEME_TEXTS: Readonly<Record<Theme, string>> = { auto: 'System', light: 'Light', dark: 'Dark' };

function ThemeSwitch(): VNode {
  const [theme, setTheme] = useState(chosenTheme);
  const choose = ({ currentTarget }: { readonly currentTarget: HTMLSelectElement }) => {
    const next = THEMES.find((one) => one === currentTarget.value) ?? 'auto';
    chooseTheme(next);
    setTheme(next);
  };
  return (
    <label class="theme">
      <span class="hidden">Colours</span>
      <select value={theme} onChange={choose}>
        {THEMES.map((one) => (
          <option value={one}>{THEME_TEXTS[one]}</option>
        ))}
      </select>
    </label>
  );
}
