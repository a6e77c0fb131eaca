import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { familyOf } from '../../address.ts';
import { nearnessText } from '../../plan/nearness-text.ts';
import { serviceFields } from '../../settings/settings.ts';
import { slowStartWords } from '../../settings/slow-start.ts';
import type { BackendDocument, StatusDocument, VipDocument } from '../../status/document.ts';
import type { ChangeDocument } from '../../status/history.ts';
import { visibleJson } from '../../visible.ts';
import { errorOf } from '../api.ts';
import type { Feed } from '../feed.ts';
import {
  ago,
  endpoint,
  moment,
  plural,
  rate,
  serviceDecisionText,
  short,
  spreadText,
  title,
  unevenText,
} from '../format.ts';
import { useReply } from '../hooks.ts';
import { editLink } from '../route.ts';
import { Backends } from './backends.tsx';
import { StateBadge } from './badge.tsx';
import { Copy } from './copy.tsx';
import { Name } from './name.tsx';
import { Sparkline } from './sparkline.tsx';
import { Why } from './why.tsx';

/** Everything about one VIP. */
export function Vip({ feed, id }: { readonly feed: Feed; readonly id: string }): VNode {
  const vip = useVip(id, feed.receivedAt);
  // The history is requested when the VIP has changed, not on every event.
  const row = feed.known?.rows.get(id);
  const historyReply = useReply(
    `/v1/history?vip=${encodeURIComponent(id)}`,
    `${row?.state} ${row?.reason} ${row?.inRotation} ${row?.backends}`,
  );
  const changes =
    (historyReply?.body as { readonly changes?: readonly ChangeDocument[] } | null)?.changes ?? [];
  const at = feed.known?.overview.at ?? '';
  if (typeof vip === 'string') {
    return (
      <>
        <h1>{id}</h1>
        <p>{vip}</p>
        <p>
          <a href="#/services">All services</a>
        </p>
        <History changes={changes} at={at} />
      </>
    );
  }
  return (
    <>
      <p class="path">
        <a href="#/services">Services</a>
      </p>
      <h1>
        <Name fqdn={title(vip)} port={vip.port} />
      </h1>
      <Facts vip={vip} samples={feed.known?.samples.get(id) ?? []} at={at} />
      <Why vip={vip} />
      <h2>Backends</h2>
      <Backends vip={vip} at={at} />
      <Apps vip={vip} />
      <History changes={changes} at={at} />
      <Source vip={vip} />
    </>
  );
}

/** The VIP, or a message if there is none to show. */
function useVip(id: string, version: unknown): VipDocument | string {
  const path = `/v1/status?vip=${encodeURIComponent(id)}`;
  const [last, setLast] = useState<VipDocument | null>(null);
  const reply = useReply(path, version);
  if (reply === null) return last ?? 'Waiting for the controller.';
  if (reply.status !== 200) return last ?? errorOf(reply);
  const found = (reply.body as StatusDocument).vips.find((vip) => vip.id === id);
  if (found !== undefined && found !== last) setLast(found);
  return found ?? 'This host does not have this VIP, or no longer has it.';
}

interface FactsProps {
  readonly vip: VipDocument;
  readonly samples: readonly number[];
  readonly at: string;
}

function Facts({ vip, samples, at }: FactsProps): VNode {
  const { fqdn, address, port, protocol, scheduler, traffic, nearness, spread } = vip;
  const place = address === null ? null : endpoint({ address, port });
  return (
    <dl class="facts">
      <div>
        <dt>State</dt>
        <dd>
          <StateBadge state={vip.state} /> {vip.reason ?? ''}{' '}
          <span class="quiet">{`for ${ago(vip.since, at)}`}</span>
          {vip.decision !== null && <span class="decision">{serviceDecisionText(vip.decision, at)}</span>}
        </dd>
      </div>
      {fqdn !== null && (
        <div>
          <dt>Name</dt>
          <dd>
            <code>
              <Name fqdn={fqdn} port={port} />
            </code>{' '}
            <Copy text={`${fqdn}:${port}`} what="name" />
          </dd>
        </div>
      )}
      <div>
        <dt>Address</dt>
        <dd>
          {place === null ? (
            'none yet'
          ) : (
            <>
              <code>{place}</code> <Copy text={place} what="address" />
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Protocol</dt>
        <dd>{protocol}</dd>
      </div>
      <div>
        <dt>Scheduler</dt>
        <dd>
          {scheduler === null
            ? '-'
            : [
                serviceFields.describe({ ...vip, scheduler }, familyOf(address ?? '')),
                ...slowStartWords(vip.slowStartSeconds),
              ].join(', ')}
        </dd>
      </div>
      {nearness !== null && (
        <div>
          <dt>Goes to</dt>
          <dd>{nearnessText(nearness)}</dd>
        </div>
      )}
      <div>
        <dt>Connections</dt>
        <dd>
          {`${vip.activeConnections} active, ${vip.inactiveConnections} ending`}
          {traffic !== null && `, ${traffic.connections} in total`}
        </dd>
      </div>
      <div>
        <dt>New connections</dt>
        <dd>
          <Sparkline samples={samples} /> {rate(traffic?.connectionRate ?? null)}
        </dd>
      </div>
      <div>
        <dt>Spread of new connections</dt>
        <dd>
          {spread === null
            ? 'not compared: fewer than two backends, or too few connections'
            : `${spreadText(spread)} of their shares, over ${plural(spread.backends, 'backend')}: ${plural(spread.connections, 'connection')} in ${ago(spread.since, at)}`}
          {spread?.uneven && <span class="decision">{unevenText(spread, at)}</span>}
        </dd>
      </div>
      <div>
        <dt>Packets</dt>
        <dd>
          {traffic === null
            ? '-'
            : `${short(traffic.inPackets)} in, ${short(traffic.outPackets)} out; ${rate(traffic.inPacketRate)} in, ${rate(traffic.outPacketRate)} out`}
        </dd>
      </div>
      <div>
        <dt>Bytes</dt>
        <dd>
          {traffic === null
            ? '-'
            : `${short(traffic.inBytes)}B in, ${short(traffic.outBytes)}B out; ${rate(traffic.inByteRate, 'B')} in, ${rate(traffic.outByteRate, 'B')} out`}
        </dd>
      </div>
    </dl>
  );
}

/** A longer list of tasks is collapsed. */
const MAX_OPEN_TASKS = 10;

function Tasks({ tasks }: { readonly tasks: readonly Pick<BackendDocument, 'task' | 'reason'>[] }): VNode {
  return (
    <ul>
      {tasks.map(({ task, reason }) => (
        <li>
          <code>{task}</code> <span class="quiet">{reason}</span>
        </li>
      ))}
    </ul>
  );
}

function Apps({ vip }: { readonly vip: VipDocument }): VNode {
  return (
    <>
      <h2>Apps</h2>
      {vip.apps.length === 0 && <p>No app declares this VIP any more.</p>}
      <ul class="apps">
        {vip.apps.map((app) => {
          const tasks = vip.backends.filter((backend) => backend.app === app && backend.task !== null);
          return (
            <li>
              <code>{app}</code>{' '}
              <a href={editLink(app)} aria-label={`Edit ${app}`}>
                Edit
              </a>
              {tasks.length <= MAX_OPEN_TASKS ? (
                <Tasks tasks={tasks} />
              ) : (
                <details>
                  <summary>{plural(tasks.length, 'task')}</summary>
                  <Tasks tasks={tasks} />
                </details>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}

function History({
  changes,
  at,
}: {
  readonly changes: readonly ChangeDocument[];
  readonly at: string;
}): VNode {
  return (
    <>
      <h2>What changed</h2>
      {changes.length === 0 && <p>Nothing since the controller started.</p>}
      <ol class="story">
        {changes.map(({ at: then, kind, backend, text }) => (
          <li>
            <time datetime={then}>{moment(then, at)}</time>
            <span>
              <b>{kind}</b> {backend !== null && <code>{backend}</code>} {text}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

function Source({ vip }: { readonly vip: VipDocument }): VNode {
  const text = visibleJson(vip, 2);
  return (
    <>
      <h2>JSON</h2>
      <details>
        <summary>
          As in <code>marathon-ipvs status -o json</code>
        </summary>
        <Copy text={text} what="JSON" />
        <pre tabindex={0}>{text}</pre>
      </details>
    </>
  );
}
