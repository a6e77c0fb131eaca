import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { familyOf } from '../../address.ts';
import { backendFields } from '../../settings/settings.ts';
import { weightText } from '../../settings/slow-start.ts';
import type { BackendDocument, VipDocument } from '../../status/document.ts';
import { attentionFirst } from '../backends.ts';
import { ago, decisionText, duration, endpoint, rate, reasonText, short } from '../format.ts';

interface BackendsProps {
  readonly vip: Pick<VipDocument, 'backends' | 'spread' | 'slowStartSeconds'>;
  readonly at: string;
}

/** As many rows as a browser can render every two seconds without effort. */
const MAX_ROWS = 50;

/** The backends of one VIP, including those that drain. */
export function Backends({ vip, at }: BackendsProps): VNode {
  const [all, setAll] = useState(false);
  const backends = attentionFirst(vip);
  if (backends.length === 0) return <p>No backends: no task is reachable.</p>;
  const shown = all ? backends : backends.slice(0, MAX_ROWS);
  return (
    <>
      {backends.length > MAX_ROWS && (
        <p>
          <span role="status">{`${shown.length} of ${backends.length} are shown, with those that need attention first.`}</span>{' '}
          <button type="button" onClick={() => setAll(!all)}>
            {all ? `Show ${MAX_ROWS}` : `Show all ${backends.length}`}
          </button>
        </p>
      )}
      {table()}
    </>
  );

  function table(): VNode {
    return (
      <table class="rows backends">
        <caption class="hidden">Backends</caption>
        <thead>
          <tr>
            <th scope="col">Backend</th>
            <th scope="col">Weight</th>
            <th scope="col">Why</th>
            <th scope="col">Connections</th>
            <th scope="col">Packets</th>
            <th scope="col">Bytes</th>
            <th scope="col">Since</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((backend) => (
            <Row key={endpoint(backend)} backend={backend} slowStart={vip.slowStartSeconds} at={at} />
          ))}
        </tbody>
      </table>
    );
  }
}

interface RowProps {
  readonly backend: BackendDocument;
  /** Slow start of the VIP, in seconds. */
  readonly slowStart: number | undefined;
  readonly at: string;
}

function Row({ backend, slowStart, at }: RowProps): VNode {
  const { hostPort, weight, inKernel, drain, decision, traffic, task } = backend;
  return (
    <tr>
      <th scope="row" class="name">
        <code>{endpoint(backend)}</code>
        {hostPort !== null && <span class="quiet">{`published at ${endpoint(hostPort)}`}</span>}
        <span class="quiet">{task ?? 'its task is not in any source'}</span>
      </th>
      <td data-label="Weight">
        <span class={`badge ${weight > 0 && inKernel ? 'good' : 'attention'}`}>
          {weightText(weight, slowStart)}
        </span>{' '}
        <span class="quiet">
          {settingsText(backend)}
          {!inKernel && ', not in the kernel'}
        </span>
      </td>
      <td data-label="Why">
        {reasonText(backend, at)}
        {drain !== null && <span class="drain">{drainText(drain)}</span>}
        {decision !== null && decision.rule !== 'draining' && decision.rule !== 'slow start' && (
          <span class="decision">{decisionText(decision, at)}</span>
        )}
      </td>
      <td data-label="Connections">
        {short(backend.activeConnections)}
        <span class="quiet"> active, {short(backend.inactiveConnections)} ending</span>
      </td>
      <td data-label="Packets">
        {traffic === null ? (
          '-'
        ) : (
          <>
            {short(traffic.inPackets)}
            <span class="quiet"> in, </span>
            {short(traffic.outPackets)}
            <span class="quiet"> out</span>
          </>
        )}
      </td>
      <td data-label="Bytes">
        {traffic === null ? (
          '-'
        ) : (
          <>
            {short(traffic.inBytes)}B<span class="quiet"> in ({rate(traffic.inByteRate, 'B')}), </span>
            {short(traffic.outBytes)}B<span class="quiet"> out ({rate(traffic.outByteRate, 'B')})</span>
          </>
        )}
      </td>
      <td data-label="Since">
        <time datetime={backend.since} title={backend.since}>
          {ago(backend.since, at)}
        </time>
      </td>
    </tr>
  );
}

function settingsText(backend: BackendDocument): string {
  const more = backendFields.describe(backend, familyOf(backend.address));
  return more === '' ? backend.forward : `${backend.forward}, ${more}`;
}

function drainText({ connections, secondsLeft, deadline }: NonNullable<BackendDocument['drain']>): string {
  return `${connections} connections left; removed in ${duration(secondsLeft)} at the latest (${deadline})`;
}
