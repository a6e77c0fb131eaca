import { familyOf } from '../address.ts';
import { endpointKey } from '../model/endpoint.ts';
import { nearnessText } from '../plan/nearness-text.ts';
import { backendFields, serviceFields } from '../settings/settings.ts';
import { slowStartWords, weightText } from '../settings/slow-start.ts';
import { type Colour, type Column, type Layout, table } from '../text/table.ts';
import { visibleDocument } from '../text/visible.ts';
import { attention, notHeld } from './attention.ts';
import type { BackendDocument, StatusDocument, VipDocument, VipState } from './document.ts';
import { inRotation } from './figures.ts';
import {
  ago,
  decisionText,
  duration,
  plural,
  reasonText,
  serviceDecisionText,
  short,
  spreadText,
  unevenText,
} from './format.ts';

/** Formats the status for people: one line for each VIP, then the problems, then a summary line. */
export function statusText(status: StatusDocument, layout: Layout): string {
  const document = visibleDocument(status);
  const { vips, at } = document;
  const lines = vips.length === 0 ? [] : [...table(vips, vipColumns(at), layout), ''];
  return [...lines, ...attention(document, layout), summaryLine(document, layout)].join('\n').concat('\n');
}

/** Like `statusText`, with every backend of every VIP. */
export function wideText(status: StatusDocument, layout: Layout): string {
  const document = visibleDocument(status);
  const { vips, at } = document;
  const lines = vips.flatMap((vip) => [...block(vip, at, layout), '']);
  return [...lines, ...attention(document, layout), summaryLine(document, layout)].join('\n').concat('\n');
}

/** Formats only the VIPs of the document, with every backend. */
export function vipsText(status: StatusDocument, layout: Layout): string {
  const { vips, at, largeRemovals } = visibleDocument(status);
  const removalsOf = ({ id }: VipDocument) =>
    largeRemovals
      .filter(({ services }) => services.includes(id))
      .map((removal) => `  ${notHeld(removal, at)}`);
  return vips
    .map((vip) => [...block(vip, at, layout), ...removalsOf(vip)].join('\n'))
    .join('\n\n')
    .concat('\n');
}

const COLOURS: Record<VipState, Colour> = {
  forwarding: 'green',
  'out of rotation': 'yellow',
  draining: 'yellow',
  held: 'yellow',
  pending: 'yellow',
  conflict: 'red',
  'no backend': 'yellow',
};

function vipColumns(at: string): readonly Column<VipDocument>[] {
  return [
    { title: 'VIP', text: nameOf },
    { title: 'ADDRESS', text: addressOf },
    { title: 'SCHED', text: ({ scheduler }) => scheduler ?? '-', priority: 1 },
    { title: 'BACKENDS', text: rotation, align: 'right', priority: 6 },
    { title: 'CONNS', text: (vip) => short(connections(vip)), align: 'right', priority: 4 },
    { title: 'CONN/S', text: ({ traffic }) => rate(traffic?.connectionRate), align: 'right', priority: 3 },
    {
      title: 'SPREAD',
      text: ({ spread }) => (spread === null ? '-' : spreadText(spread)),
      colour: ({ spread }) => (spread?.uneven ? 'yellow' : null),
      align: 'right',
      priority: 1,
    },
    { title: 'STATE', text: ({ state }) => state, colour: ({ state }) => COLOURS[state] },
    { title: 'SINCE', text: ({ since }) => ago(since, at), align: 'right', priority: 2 },
  ];
}

/** `web.marathon`, without the zone that all names share. */
function nameOf({ name, framework, apps }: VipDocument): string {
  return name === null ? apps.join(',') : `${name}.${framework}`;
}

function addressOf({ address, port, protocol }: VipDocument): string {
  return `${address === null ? `-:${port}` : endpointKey({ address, port })}/${protocol}`;
}

function rotation({ backends }: VipDocument): string {
  return `${backends.filter(inRotation).length}/${backends.length}`;
}

function connections(of: Pick<VipDocument, 'activeConnections' | 'inactiveConnections'>): number {
  return of.activeConnections + of.inactiveConnections;
}

function rate(value: number | undefined): string {
  return value === undefined ? '-' : short(value);
}

function block(vip: VipDocument, at: string, layout: Layout): string[] {
  const { fqdn, state, reason, since, scheduler, apps, traffic, nearness, spread, backends } = vip;
  const { paint } = layout;
  const called = fqdn === null ? '' : `${fqdn}  `;
  const why = reason === null ? '' : `: ${reason}`;
  const facts = [
    scheduler === null
      ? null
      : `scheduler ${serviceFields.describe({ ...vip, scheduler }, familyOf(vip.address ?? ''))}`,
    ...slowStartWords(vip.slowStartSeconds),
    `${rotation(vip)} in rotation`,
    nearness === null ? null : nearnessText(nearness),
    `${short(connections(vip))} connections, ${rate(traffic?.connectionRate)}/s`,
    spread === null
      ? null
      : `spread ${spreadText(spread)} of ${plural(spread.connections, 'new connection')}`,
    traffic === null ? null : `in ${short(traffic.inByteRate)}B/s, out ${short(traffic.outByteRate)}B/s`,
    apps.join(', '),
  ];
  return [
    `${called}${addressOf(vip)}  ${paint(COLOURS[state], state)} for ${ago(since, at)}${why}`,
    `  ${facts.filter((fact) => fact !== null && fact !== '').join('; ')}`,
    ...(backends.length === 0
      ? []
      : table(backends, backendColumns(at, vip.slowStartSeconds), { ...layout, indent: '  ' })),
    ...(spread?.uneven ? [`  ${paint('yellow', `uneven: ${unevenText(spread, at)}`)}`] : []),
    ...decisionsOf(vip, at),
  ];
}

/** Lines for decisions that keep backends from what the sources say; the table already shows drains and slow starts. */
function decisionsOf({ decision: own, backends }: VipDocument, at: string): string[] {
  const places = new Map<string, string[]>();
  for (const { decision, ...backend } of backends) {
    if (decision === null || decision.rule === 'draining' || decision.rule === 'slow start') continue;
    const text = decisionText(decision, at);
    places.set(text, [...(places.get(text) ?? []), endpointKey(backend)]);
  }
  return [
    ...(own === null ? [] : [`  service: ${serviceDecisionText(own, at)}`]),
    ...[...places].map(
      ([text, { 0: first, length }]) => `  ${length === 1 ? first : plural(length, 'backend')}: ${text}`,
    ),
  ];
}

function backendColumns(at: string, slowStart: number | undefined): readonly Column<BackendDocument>[] {
  return [
    { title: 'BACKEND', text: placeOf, colour: backendColour },
    { title: 'WEIGHT', text: ({ weight }) => weightText(weight, slowStart), align: 'right', priority: 9 },
    { title: 'ACTIVE', text: (one) => short(one.activeConnections), align: 'right', priority: 8 },
    { title: 'INACT', text: (one) => short(one.inactiveConnections), align: 'right', priority: 5 },
    { title: 'CONN/S', text: ({ traffic }) => rate(traffic?.connectionRate), align: 'right', priority: 4 },
    { title: 'IN B/S', text: ({ traffic }) => rate(traffic?.inByteRate), align: 'right', priority: 1 },
    { title: 'OUT B/S', text: ({ traffic }) => rate(traffic?.outByteRate), align: 'right', priority: 2 },
    { title: 'SINCE', text: ({ since }) => ago(since, at), align: 'right', priority: 6 },
    { title: 'TASK', text: ({ task }) => task ?? '-', priority: 3 },
    { title: 'WHY', text: (one) => whyOf(one, at) },
  ];
}

function backendColour(backend: BackendDocument): Colour | null {
  return inRotation(backend) ? null : 'yellow';
}

function placeOf({ hostPort, ...backend }: BackendDocument): string {
  return hostPort === null ? endpointKey(backend) : `${endpointKey(backend)} (${endpointKey(hostPort)})`;
}

function whyOf(backend: BackendDocument, at: string): string {
  const { address, drain, inKernel, weight } = backend;
  if (drain !== null) {
    return `draining: ${plural(drain.connections, 'connection')} left, at most ${duration(drain.secondsLeft)}`;
  }
  const reason = reasonText(backend, at);
  const settings = backendFields.describe(backend, familyOf(address));
  const why = settings === '' ? reason : `${reason}, ${settings}`;
  return inKernel || weight === 0 ? why : `${why} (not in the kernel)`;
}

function netnsText({ networkNamespaces: report }: StatusDocument): string {
  if (report === null) return '';
  const { namespaces } = report;
  const inSync = namespaces.filter((namespace) => namespace.inSync).length;
  return `; ${inSync} of ${plural(namespaces.length, 'network namespace')} in sync`;
}

function summaryLine(document: StatusDocument, { paint }: Layout): string {
  const { summary, ready, checks, dryRun, kernel } = document;
  const { vips, byState, backends, backendsInRotation, ejected, inSlowStart, leftOut } = summary;
  const why = [
    ejected > 0 && `${ejected} ejected`,
    inSlowStart > 0 && `${inSlowStart} in slow start`,
    leftOut > 0 && `${leftOut} left out`,
  ].filter((text) => text !== false);
  const states = Object.entries(byState).map(([state, count]) => `${count} ${state}`);
  const failed = checks.filter(({ ok }) => !ok).map(({ name, message }) => `${name}: ${message ?? 'failed'}`);
  const others =
    kernel.foreignServices === 0 ? '' : `; ${plural(kernel.foreignServices, 'service')} of other programs`;
  const verdict = ready ? paint('green', 'ready') : `${paint('red', 'not ready')} (${failed.join('; ')})`;
  return (
    `${plural(vips, 'VIP')}${vips === 0 ? '' : `: ${states.join(', ')}`}; ` +
    `${backendsInRotation} of ${plural(backends, 'backend')} in rotation${why.length === 0 ? '' : ` (${why.join(', ')})`}; ` +
    `${plural(summary.connections, 'connection')}${others}${netnsText(document)}; ${dryRun ? 'dry run, ' : ''}${verdict}`
  );
}
