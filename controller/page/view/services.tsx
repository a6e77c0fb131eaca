import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Feed } from '../feed.ts';
import { plural, STATES } from '../format.ts';
import { type Column, figuresText, type ListQuery, listLink, listPage, parseListQuery } from '../list.ts';
import { ServiceRow } from './service-row.tsx';

/** The list of VIPs. Its filter and order are in the URL, so that they can be linked to. */
export function Services({ feed, query }: { readonly feed: Feed; readonly query: URLSearchParams }): VNode {
  const [wanted, setWanted] = useState(() => parseListQuery(query));
  // The user followed a link or went back.
  useEffect(() => setWanted(parseListQuery(query)), [query.toString()]);
  const change = (part: Partial<ListQuery>) => {
    const next = { ...wanted, page: 0, ...part };
    setWanted(next);
    history.replaceState(null, '', listLink(next));
  };
  if (feed.known === null)
    return (
      <>
        <h1>Services</h1>
        <p>Waiting for the controller.</p>
      </>
    );
  const { overview, rows, samples } = feed.known;
  const list = listPage(rows.values(), wanted);
  const { vips, backends, backendsInRotation, connections, uneven } = overview.summary;
  return (
    <>
      <h1>Services</h1>
      <p class="summary">
        <b>{vips}</b> {vips === 1 ? 'VIP' : 'VIPs'}, <b>{backendsInRotation}</b> of <b>{backends}</b> backends
        in rotation, <b>{connections}</b> {connections === 1 ? 'connection' : 'connections'}
        {figuresText(overview.summary).map((text) => `, ${text}`)}
        {uneven > 0 && (
          <>
            , <a href={listLink({ ...wanted, text: 'uneven' })}>{`${uneven} uneven`}</a>
          </>
        )}
      </p>
      <Filters wanted={wanted} change={change} byState={overview.summary.byState} all={vips} />
      <p class="quiet" role="status">
        {list.found === rows.size
          ? plural(list.found, 'VIP')
          : `${list.found} of ${plural(rows.size, 'VIP')}`}
        {list.pages > 1 ? `, ${list.first + 1} to ${list.first + list.rows.length} shown` : ''}
      </p>
      {list.found === 0 ? (
        <p>{rows.size === 0 ? 'No app declares a VIP yet.' : 'No VIP matches.'}</p>
      ) : (
        table()
      )}
      {list.pages > 1 && <Pages page={list.page} pages={list.pages} go={(page) => change({ page })} />}
    </>
  );

  function table(): VNode {
    return (
      <table class="rows services">
        <caption class="hidden">VIPs of this host</caption>
        <thead>
          <tr>
            {HEADINGS.map(([column, text]) => (
              <Heading column={column} text={text} wanted={wanted} change={change} />
            ))}
          </tr>
        </thead>
        <tbody>
          {list.rows.map((row) => (
            <ServiceRow key={row.id} row={row} samples={samples.get(row.id) ?? []} at={overview.at} />
          ))}
        </tbody>
      </table>
    );
  }
}

const HEADINGS: readonly (readonly [Column, string])[] = [
  ['name', 'Name'],
  ['address', 'Address'],
  ['state', 'State'],
  ['backends', 'Backends'],
  ['connections', 'Connections'],
  ['rate', 'New per second'],
  ['since', 'Since'],
];

interface Changing {
  readonly wanted: ListQuery;
  readonly change: (part: Partial<ListQuery>) => void;
}

function Heading({ column, text, wanted, change }: Changing & { column: Column; text: string }): VNode {
  const here = wanted.sort === column;
  const order = here ? (wanted.descending ? 'descending' : 'ascending') : undefined;
  const sort = () => change({ sort: column, descending: here && !wanted.descending });
  return (
    <th scope="col" class={column} aria-sort={order}>
      <button type="button" onClick={sort}>
        {text}
        <span aria-hidden="true">{here ? (wanted.descending ? ' ▼' : ' ▲') : ''}</span>
      </button>
    </th>
  );
}

type FilterProps = Changing & { readonly byState: Readonly<Record<string, number>>; readonly all: number };

function Filters({ wanted, change, byState, all }: FilterProps): VNode {
  const present = STATES.filter((state) => byState[state] !== undefined || state === wanted.state);
  const sort = ({ currentTarget: { value } }: { readonly currentTarget: HTMLSelectElement }) => {
    const [column = 'name', order] = value.split(' ');
    change({ sort: HEADINGS.find(([one]) => one === column)?.[0] ?? 'name', descending: order === 'down' });
  };
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        Search
        <input
          type="search"
          value={wanted.text}
          placeholder="name, address, app, reason"
          onInput={({ currentTarget }) => change({ text: currentTarget.value })}
        />
      </label>
      <label>
        State
        <select
          value={wanted.state ?? ''}
          onChange={({ currentTarget: { value } }) =>
            change({ state: STATES.find((state) => state === value) ?? null })
          }
        >
          <option value="">{`all (${all})`}</option>
          {present.map((state) => (
            <option value={state}>{`${state} (${byState[state] ?? 0})`}</option>
          ))}
        </select>
      </label>
      <label class="narrow-only">
        Sort by
        <select value={`${wanted.sort}${wanted.descending ? ' down' : ''}`} onChange={sort}>
          {HEADINGS.map(([column, text]) => (
            <>
              <option value={column}>{text}</option>
              <option value={`${column} down`}>{`${text}, reversed`}</option>
            </>
          ))}
        </select>
      </label>
    </form>
  );
}

interface PagesProps {
  readonly page: number;
  readonly pages: number;
  readonly go: (page: number) => void;
}

function Pages({ page, pages, go }: PagesProps): VNode {
  return (
    <nav class="pages" aria-label="Pages of the list">
      <button type="button" disabled={page === 0} onClick={() => go(page - 1)}>
        Previous
      </button>
      <span>{`${page + 1} of ${pages}`}</span>
      <button type="button" disabled={page === pages - 1} onClick={() => go(page + 1)}>
        Next
      </button>
    </nav>
  );
}
