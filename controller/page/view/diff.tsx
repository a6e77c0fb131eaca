import type { VNode } from 'preact';
import { nearnessText } from '../../plan/nearness-text.ts';
import type { toJson } from '../../plan/print-json.ts';
import { weightText } from '../../settings/slow-start.ts';
import { errorOf } from '../api.ts';
import { facts } from '../facts.ts';
import type { Feed } from '../feed.ts';
import { moment, plural } from '../format.ts';
import { useReply } from '../hooks.ts';
import { leftOver } from '../left-over.ts';
import { vipLink } from '../route.ts';
import { Copy } from './copy.tsx';

type DiffDocument = ReturnType<typeof toJson>;
type Planned = DiffDocument['services'][number];

/** What the next pass will do, and what the last one did, as in `marathon-ipvs diff`. */
export function Diff({ feed }: { readonly feed: Feed }): VNode {
  const pass = feed.known?.overview.lastPass ?? null;
  const reply = useReply('/v1/diff', pass?.finishedAt);
  const when = pass === null ? '' : moment(pass.finishedAt, feed.known?.overview.at ?? pass.finishedAt);
  return (
    <>
      <h1>Diff</h1>
      {facts.dryRun ? (
        <p>
          <span class="badge attention">Dry run</span> This controller writes nothing. It would do this, as of{' '}
          {when}:
        </p>
      ) : (
        <>
          <Next feed={feed} />
          <h2>{`Last pass, ${when}`}</h2>
        </>
      )}
      {reply !== null &&
        (reply.status === 200 ? (
          <Plan diff={reply.body as DiffDocument} />
        ) : (
          <p role="alert">{errorOf(reply)}</p>
        ))}
    </>
  );
}

/** What the last pass left for the next one. */
function Next({ feed }: { readonly feed: Feed }): VNode | null {
  if (feed.known === null) return null;
  const { overview, findings } = feed.known;
  const left = leftOver(overview, findings);
  const steps = findings.failures.map(({ step }) => step).join('\n');
  return (
    <>
      <p class="summary">
        The next pass:{' '}
        {left.length === 0 ? 'nothing to do, the kernel is as desired.' : `${left.join(', ')}.`}
      </p>
      {steps !== '' && <pre tabindex={0}>{steps}</pre>}
    </>
  );
}

function Plan({ diff }: { readonly diff: DiffDocument }): VNode {
  const { add, change, remove, keep } = diff.summary;
  const changed = diff.services.filter(({ op }) => op !== 'keep');
  const steps = diff.steps.join('\n');
  const done = facts.dryRun ? TO_DO : DONE;
  return (
    <>
      <p class="summary">
        <b>{add}</b>
        {done.add}, <b>{change}</b>
        {done.change}, <b>{remove}</b>
        {done.remove}, <b>{keep}</b> as desired
        {diff.held !== null && (
          <>
            <br />
            <span class="badge attention">held</span> {diff.held}
          </>
        )}
      </p>
      {changed.length === 0 ? (
        <p>No difference.</p>
      ) : (
        <div class="diff" role="list">
          {changed.map((service) => (
            <Service key={keyOf(service)} service={service} />
          ))}
        </div>
      )}
      {diff.steps.length > 0 && (
        <>
          <h2>Steps</h2>
          <p>
            {plural(diff.steps.length, 'line')} for <code>ipvsadm -R</code>, in order.{' '}
            <Copy text={steps} what="steps" />
          </p>
          <pre tabindex={0}>{steps}</pre>
        </>
      )}
    </>
  );
}

const TO_DO = { add: ' to add', change: ' to change', remove: ' to remove' };
const DONE = { add: ' added', change: ' changed', remove: ' removed' };
const SIGNS = { add: '+', change: '~', remove: '-', keep: ' ' } as const;

function keyOf({ protocol, address, port }: Planned): string {
  return `${protocol}/${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function Service({ service }: { readonly service: Planned }): VNode {
  const { op, name, fqdn, reason, nearness, backends } = service;
  const key = keyOf(service);
  const settings = 'changes' in service ? (service.changes ?? []) : [];
  return (
    <section role="listitem" class={`planned ${op}`}>
      <h3>
        <span class="sign" role="img" aria-label={op}>
          {SIGNS[op]}
        </span>{' '}
        <a href={vipLink(key)}>{fqdn ?? name ?? key}</a> <code>{key}</code>
      </h3>
      {reason !== null && <p>{reason}</p>}
      {nearness !== undefined && <p>{nearnessText(nearness)}</p>}
      {settings.map(({ field, was, becomes }) => (
        <p>{`${field}: ${was} becomes ${becomes}`}</p>
      ))}
      <ul>
        {backends
          .filter((backend) => backend.op !== 'keep')
          .map((backend) => (
            <li class={backend.op}>
              <span class="sign" role="img" aria-label={backend.op}>
                {SIGNS[backend.op]}
              </span>{' '}
              <code>{`${backend.address}:${backend.port}`}</code>{' '}
              {`weight ${weightText(backend.weight, service.slowStartSeconds)}`}{' '}
              <span class="quiet">{backend.reason}</span>
            </li>
          ))}
      </ul>
    </section>
  );
}
