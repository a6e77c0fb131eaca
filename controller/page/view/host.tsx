import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { DoctorDocument, Finding } from '../../doctor/document.ts';
import { notHeld, notInSync } from '../../status/attention.ts';
import { quoted } from '../../text/visible.ts';
import { errorOf } from '../api.ts';
import type { Feed, Known } from '../feed.ts';
import { ago, duration, plural } from '../format.ts';
import { useReply } from '../hooks.ts';
import { Copy } from './copy.tsx';

/** The state of this host and its controller. */
export function Host({ feed }: { readonly feed: Feed }): VNode {
  if (feed.known === null)
    return (
      <>
        <h1>Host</h1>
        <p>Waiting for the controller.</p>
      </>
    );
  return (
    <>
      <h1>Host</h1>
      <Sources known={feed.known} />
      <Attention known={feed.known} />
      <Doctor />
      <Kernel known={feed.known} />
      <Controller known={feed.known} />
    </>
  );
}

function Sources({ known }: { readonly known: Known }): VNode {
  const { sources } = known.overview;
  return (
    <>
      <h2>Sources</h2>
      <table class="rows">
        <caption class="hidden">Sources</caption>
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col">Apps</th>
            <th scope="col">Age of data</th>
            <th scope="col">Last error</th>
          </tr>
        </thead>
        <tbody>
          {sources.map(({ name, apps, ageSeconds, fromDiskOf, failure }) => (
            <tr>
              <th scope="row" class="name">
                <code>{name}</code>
              </th>
              <td data-label="Apps">{apps}</td>
              <td data-label="Age of data">
                {ageSeconds === null ? 'never read' : duration(ageSeconds)}
                {fromDiskOf !== null && ', loaded from disk'}
              </td>
              <td data-label="Last error">
                {failure === null ? (
                  'none'
                ) : (
                  <>
                    <span class="badge bad">stale</span> {failure.message}
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Attention({ known }: { readonly known: Known }): VNode {
  const { conflicts, rejected, failures, warnings, refused, largeRemovals } = known.findings;
  const { checks, host, waiting, ejection, at } = known.overview;
  const lists: readonly (readonly [string, readonly string[]])[] = [
    [
      'Failing checks',
      checks.filter(({ ok }) => !ok).map(({ name, message }) => `${name}: ${message ?? ''}`),
    ],
    ['Failed writes', failures.map(({ step, message }) => `${step}: ${message}`)],
    ['Conflicts', conflicts.map(({ id, apps, reason }) => `${id} of ${apps.join(', ')}: ${reason}`)],
    [
      'Rejected',
      rejected.map(
        ({ app, at, value, reason }) => `${app} ${at}${value === '' ? '' : ` = ${quoted(value)}`}: ${reason}`,
      ),
    ],
    ['Cut off?', cutOff(ejection)],
    [
      'Backends that do not answer',
      ejection?.backends.map(({ backend, reason }) => `${backend}: ${reason}`) ?? [],
    ],
    ['Addresses refused by the kernel', refused.map(({ address, reason }) => `${address}: ${reason}`)],
    ['Network namespaces', notInSync(known.overview)],
    ['Large removals', largeRemovals.map((removal) => notHeld(removal, at))],
    ['Advice', host.advice],
    ['Warnings', warnings],
  ];
  const filled = lists.filter(([, lines]) => lines.length > 0);
  return (
    <>
      <h2>What needs attention</h2>
      {filled.length === 0 && waiting === 0 && <p>Nothing.</p>}
      {waiting > 0 && <p>{plural(waiting, 'failed write')} waiting for the next retry.</p>}
      {filled.map(([title, lines]) => (
        <>
          <h3>{title}</h3>
          <ul>
            {lines.map((line) => (
              <li>{line}</li>
            ))}
          </ul>
        </>
      ))}
    </>
  );
}

function cutOff(ejection: Known['overview']['ejection']): readonly string[] {
  if (ejection === null) return [];
  const { blind, behind } = ejection;
  return [
    blind !== null &&
      `This host cannot reach ${blind.failing} of the ${blind.failing + blind.answering} agents that it tried, so it ejects no more backends.`,
    behind,
  ].filter((line) => typeof line === 'string');
}

function Doctor(): VNode {
  const [version, setVersion] = useState(0);
  const reply = useReply('/v1/doctor', version);
  const found = reply?.status === 200 ? (reply.body as DoctorDocument) : null;
  const failing = found?.findings.filter(({ state }) => state !== 'ok') ?? [];
  const passed = found?.findings.filter(({ state }) => state === 'ok') ?? [];
  return (
    <>
      <h2>
        Doctor{' '}
        <button type="button" onClick={() => setVersion(version + 1)}>
          Check again
        </button>
      </h2>
      {reply === null && <p>Checking this host.</p>}
      {reply !== null && found === null && <p role="alert">{errorOf(reply)}</p>}
      {found !== null && (
        <>
          <p role="status">{`${found.summary.problem} problems, ${found.summary.warning} warnings, ${found.summary.ok} passed; kernel ${found.kernel}`}</p>
          {failing.map((finding) => (
            <Failing key={finding.check} finding={finding} />
          ))}
          <details>
            <summary>{`${passed.length} passed`}</summary>
            <ul>
              {passed.map(({ check, found: value }) => (
                <li>
                  <code>{check}</code> {value}
                </li>
              ))}
            </ul>
          </details>
        </>
      )}
    </>
  );
}

function Failing({ finding }: { readonly finding: Finding }): VNode {
  const { state, check, found, wanted, why, command } = finding;
  return (
    <section class={`finding ${state}`}>
      <h3>
        <span class={`badge ${state === 'problem' ? 'bad' : 'attention'}`}>{state}</span> <code>{check}</code>
      </h3>
      <p>
        {found}
        {wanted !== null && `; expected: ${wanted}`}
        {why !== null && (
          <>
            <br />
            {why}
          </>
        )}
      </p>
      {command !== null && (
        <p>
          <code class="command">{command}</code> <Copy text={command} what="command" />
        </p>
      )}
    </section>
  );
}

/** Newer kernels also report the number of connections and the maximum size of the table. */
function connectionTable({ connectionTableSize, tables }: Known['overview']['kernel']): string {
  if (connectionTableSize === null) return '-';
  const { count = null, maxBuckets = null } = tables?.connections ?? {};
  const buckets = `${connectionTableSize} buckets`;
  if (count === null) return buckets;
  return `${count} connections in ${buckets}${maxBuckets === null ? '' : `, at most ${maxBuckets}`}`;
}

function Kernel({ known }: { readonly known: Known }): VNode {
  const { kernel } = known.overview;
  const { timeouts, conntrack } = kernel;
  const facts: readonly (readonly [string, string])[] = [
    ['IPVS', kernel.ipvsVersion ?? `unknown${kernel.error === null ? '' : `: ${kernel.error}`}`],
    ['Services', `${kernel.services}, including ${kernel.foreignServices} of other programs`],
    ['Backends', String(kernel.backends)],
    ['Connection table', connectionTable(kernel)],
    ['Connection tracking', conntrack === null ? '-' : `${conntrack.count} of ${conntrack.max}`],
    [
      'Connection timeouts',
      timeouts === null
        ? '-'
        : `TCP ${timeouts.tcp} s, TCP after FIN ${timeouts.tcpFin} s, UDP ${timeouts.udp} s`,
    ],
  ];
  return (
    <>
      <h2>Kernel</h2>
      <Pairs pairs={facts} />
    </>
  );
}

function Controller({ known }: { readonly known: Known }): VNode {
  const { version, startedAt, at, lastPass, convergedAt, ready, dryRun } = known.overview;
  const pass =
    lastPass === null
      ? 'none yet'
      : `${lastPass.kind}, ${ago(lastPass.finishedAt, at)} ago, in ${lastPass.durationMs} ms`;
  const facts: readonly (readonly [string, string])[] = [
    ['Version', version + (dryRun ? ', dry run' : '')],
    ['Started', `${ago(startedAt, at)} ago`],
    ['Ready', ready ? 'yes' : 'no'],
    ['Last pass', pass],
    ['Kernel as desired', convergedAt === null ? 'not yet' : `${ago(convergedAt, at)} ago`],
  ];
  return (
    <>
      <h2>Controller</h2>
      <Pairs pairs={facts} />
    </>
  );
}

function Pairs({ pairs }: { readonly pairs: readonly (readonly [string, string])[] }): VNode {
  return (
    <dl class="facts">
      {pairs.map(([name, text]) => (
        <div>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}
