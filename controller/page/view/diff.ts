import type { VNode } from 'preact';
import type { toJson } from '../../plan/print-json.ts';
import { errorOf } from '../api.ts';
import { facts } from '../facts.ts';
import type { Feed } from '../feed.ts';
import { moment, plural } from '../format.ts';
import { useReply } from '../hooks.ts';
import { html } from '../html.ts';
import { vipLink } from '../route.ts';
import { Copy } from './copy.ts';

type DiffDocument = ReturnType<typeof toJson>;
type Planned = DiffDocument['services'][number];

/** What a pass does, as `marathon-ipvs diff` prints it. */
export function Diff({ feed }: { readonly feed: Feed }): VNode {
  const pass = feed.known?.overview.lastPass ?? null;
  const reply = useReply('/v1/diff', pass?.finishedAt);
  const when = pass === null ? '' : moment(pass.finishedAt, feed.known?.overview.at ?? pass.finishedAt);
  return html`
    <h1>Diff</h1>
    <p>${
      facts.dryRun
        ? html`<span class="badge attention">Dry run</span> This controller writes nothing. What it would do, as of ${when}:`
        : html`What the pass of ${when} planned; what of it failed is tried again and shown on <a href="#/host">Host</a>.`
    }</p>
    ${reply !== null && (reply.status === 200 ? html`<${Plan} diff=${reply.body as DiffDocument} />` : html`<p role="alert">${errorOf(reply)}</p>`)}`;
}

function Plan({ diff }: { readonly diff: DiffDocument }): VNode {
  const { add, change, remove, keep } = diff.summary;
  const changed = diff.services.filter(({ op }) => op !== 'keep');
  const steps = diff.steps.join('\n');
  return html`
    <p class="summary">
      <b>${add}</b> to add, <b>${change}</b> to change, <b>${remove}</b> to remove, <b>${keep}</b> as desired
      ${diff.held !== null && html`<br /><span class="badge attention">held</span> ${diff.held}`}
    </p>
    ${
      changed.length === 0
        ? html`<p>No difference: the kernel is as desired.</p>`
        : html`<div class="diff" role="list">${changed.map((service) => html`<${Service} key=${keyOf(service)} service=${service} />`)}</div>`
    }
    ${
      diff.steps.length > 0 &&
      html`
        <h2>Steps</h2>
        <p>${plural(diff.steps.length, 'line')} for <code>ipvsadm -R</code>, in their order. <${Copy} text=${steps} what="steps" /></p>
        <pre tabindex="0">${steps}</pre>`
    }`;
}

const SIGNS = { add: '+', change: '~', remove: '-', keep: ' ' } as const;

function keyOf({ protocol, address, port }: Planned): string {
  return `${protocol}/${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function Service({ service }: { readonly service: Planned }): VNode {
  const { op, name, fqdn, reason, backends } = service;
  const key = keyOf(service);
  const settings = 'changes' in service ? (service.changes ?? []) : [];
  return html`
    <section role="listitem" class=${`planned ${op}`}>
      <h3><span class="sign" aria-label=${op}>${SIGNS[op]}</span> <a href=${vipLink(key)}>${fqdn ?? name ?? key}</a> <code>${key}</code></h3>
      ${reason !== null && html`<p>${reason}</p>`}
      ${settings.map(({ field, was, becomes }) => html`<p>${`${field}: ${was} becomes ${becomes}`}</p>`)}
      <ul>
        ${backends
          .filter((backend) => backend.op !== 'keep')
          .map(
            (backend) => html`
              <li class=${backend.op}><span class="sign" aria-label=${backend.op}>${SIGNS[backend.op]}</span> <code>${`${backend.address}:${backend.port}`}</code> ${`weight ${backend.weight}`} <span class="quiet">${backend.reason}</span></li>`,
          )}
      </ul>
    </section>`;
}
