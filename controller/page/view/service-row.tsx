import { Component, type VNode } from 'preact';
import type { VipRow } from '../../status/rows.ts';
import { ago, endpoint, rate, short } from '../format.ts';
import { figuresText } from '../list.ts';
import { vipLink } from '../route.ts';
import { StateBadge } from './badge.tsx';
import { Copy } from './copy.tsx';
import { Name } from './name.tsx';
import { Sparkline } from './sparkline.tsx';

interface RowProps {
  readonly row: VipRow;
  readonly samples: readonly number[];
  /** The time of the status, RFC 3339. */
  readonly at: string;
}

/** One VIP of the list. */
export class ServiceRow extends Component<RowProps> {
  /** Most rows do not change from event to event, and most ages change once a minute. */
  override shouldComponentUpdate(next: RowProps): boolean {
    const { row, samples, at } = this.props;
    if (row !== next.row || ago(row.since, at) !== ago(next.row.since, next.at)) return true;
    return (
      samples.length !== next.samples.length || samples.some((value, index) => value !== next.samples[index])
    );
  }

  override render({ row, samples, at }: RowProps): VNode {
    const { address, port, protocol, scheduler, reason, spread } = row;
    const named = row.fqdn === null ? null : `${row.fqdn}:${port}`;
    const place = address === null ? null : endpoint({ address, port });
    return (
      <tr>
        <th scope="row" class="name">
          <a href={vipLink(row.id)}>
            {row.fqdn === null ? (place ?? row.id) : <Name fqdn={row.fqdn} port={port} />}
          </a>
          {named !== null && <Copy text={named} what={`name ${named}`} />}
          <span class="quiet apps">{row.apps.join(', ')}</span>
        </th>
        <td class="address" data-label="Address">
          <code>{place ?? '-'}</code>{' '}
          <span class="quiet">
            {protocol}
            {scheduler !== null && `, ${scheduler}`}
          </span>
        </td>
        <td class="state" data-label="State">
          <StateBadge state={row.state} />
          {reason !== null && <span class="quiet reason">{reason}</span>}
        </td>
        <td class="backends" data-label="Backends">
          {row.inRotation}
          <span class="quiet"> of {row.backends}</span>
          {figuresText(row).map((text) => (
            <span class="quiet why">{text}</span>
          ))}
        </td>
        <td class="connections" data-label="Connections">
          {short(row.activeConnections)}
          <span class="quiet"> active, {short(row.inactiveConnections)} ending</span>
        </td>
        <td class="rate" data-label="New per second">
          <Sparkline samples={samples} /> <span>{rate(row.connectionRate)}</span>
          {spread !== null && (
            <span class="spread">
              {spread.uneven ? (
                <span class="badge attention">{`uneven ${spread.text}`}</span>
              ) : (
                <span class="quiet">{`spread ${spread.text}`}</span>
              )}
            </span>
          )}
        </td>
        <td class="since" data-label="Since">
          <time datetime={row.since} title={row.since}>
            {ago(row.since, at)}
          </time>
        </td>
      </tr>
    );
  }
}
