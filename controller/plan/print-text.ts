import { familyOf } from '../address.ts';
import type { Rejection } from '../model/app.ts';
import type { Declared } from '../model/desired.ts';
import { endpointKey } from '../model/endpoint.ts';
import { backendFields, changeText, serviceFields } from '../settings/settings.ts';
import { slowStartWords, weightChangeText, weightText } from '../settings/slow-start.ts';
import { type Colour, type Paint, pad, textWidth } from '../text/table.ts';
import { quoted, visible, visibleDocument } from '../text/visible.ts';
import { nearnessText } from './nearness-text.ts';
import type { Op, PlannedBackend, PlannedService, Report, Summary } from './plan.ts';

/**
 * The diff as text: a block for each VIP that changes, with the reason for each backend's weight; then what needs attention;
 * then a summary line. `paint` adds colours.
 */
export function toText(
  { plan, declared, rejected, warnings, held, leftAlone }: Report,
  paint: Paint,
): string {
  const lines: string[] = [];
  for (const service of plan.services) {
    if (service.op !== 'keep' || service.adopted || service.held) {
      // One by one: a service may have more backends than a call may have arguments.
      for (const line of block(visibleDocument(service), paint)) lines.push(line);
      lines.push('');
    }
  }
  for (const { key, apps, reason } of plan.conflicts)
    lines.push(paint('yellow', visible(`! ${key}  ${apps.join(', ')}  ${reason}`)));
  if (held !== null) lines.push(paint('yellow', visible(`! held  ${held}`)));
  for (const rejection of rejected) lines.push(paint('red', `! rejected  ${formatRejection(rejection)}`));
  for (const warning of warnings) lines.push(paint('yellow', visible(`! warning  ${warning}`)));
  if (held !== null || plan.conflicts.length + rejected.length + warnings.length > 0) lines.push('');
  lines.push(
    ...withoutBackends(declared),
    ...leftOut(plan.services),
    sumUp(plan.summary, plan.services, declared),
  );
  if (leftAlone === 1) lines.push('1 service of another program is left alone.');
  if (leftAlone > 1) lines.push(`${leftAlone} services of other programs are left alone.`);
  return `${lines.join('\n')}\n`;
}

function formatRejection({ app, at, value, reason }: Rejection): string {
  const where = at === '' ? app : `${app}  ${at}`;
  return visible(value === '' ? `${where}: ${reason}` : `${where} = ${quoted(value)}: ${reason}`);
}

/** One line about backends that are left out for nearness, since VIPs that do not change are not listed. */
function leftOut(services: readonly PlannedService[]): readonly string[] {
  let vips = 0;
  let backends = 0;
  for (const { nearness } of services) {
    if (nearness === undefined || nearness.leftOut === 0) continue;
    vips += 1;
    backends += nearness.leftOut;
  }
  if (vips === 0) return [];
  return [
    `Left out, since nearer ones are in rotation: ${plural(backends, 'backend')} of ${plural(vips, 'VIP')}.`,
  ];
}

const MAX_WITHOUT = 10;

/** Lists VIPs without backends, which are in neither table. */
function withoutBackends(declared: readonly Declared[]): readonly string[] {
  const vips = new Map<string, readonly Declared[]>();
  for (const one of declared) {
    const { fqdn, address, port, protocol } = one;
    const endpoint = fqdn === null ? endpointKey({ address: address ?? '', port }) : `${fqdn}:${port}`;
    const vip = protocol === 'tcp' ? endpoint : `${endpoint}/${protocol}`;
    vips.set(vip, [...(vips.get(vip) ?? []), one]);
  }
  const empty = [...vips].filter(([, claims]) => claims.every(({ backends }) => backends === 0));
  const each = empty.slice(0, MAX_WITHOUT).map(([vip, claims]) => {
    const apps = new Set(claims.map(({ app }) => app));
    const reasons = new Set(claims.map((claim) => claim.withoutBackends ?? 'none known'));
    return visible(`${[...apps].join(', ')} -> ${vip} (${[...reasons].join('; ')})`);
  });
  const [only, another] = each;
  if (only === undefined) return [];
  const title = `${plural(empty.length, 'VIP')} without backends:`;
  if (another === undefined) return [`${title} ${only}`];
  const more = empty.length - each.length;
  return [title, ...each.map((line) => `    ${line}`), ...(more > 0 ? [`    and ${more} more`] : [])];
}

const SIGNS: Record<Op, string> = { add: '+', change: '~', remove: '-', keep: ' ' };
const COLOURS: Record<Op, Colour> = { add: 'green', change: 'yellow', remove: 'red', keep: 'dim' };

function block(service: PlannedService, paint: Paint): string[] {
  const { op, protocol, address, port, fqdn, name, framework, apps, nearness, reason } = service;
  const endpoint = endpointKey({ address, port });
  const called = fqdn ?? (name === null ? null : `${name}.${framework}`);
  const title = called === null ? `${endpoint} ${protocol}` : `${called}:${port} ${protocol}  ${endpoint}`;
  const notes = [
    serviceFields.describe(service, familyOf(address)),
    ...slowStartWords(service.slowStartSeconds),
    ...apps,
    ...service.changes.map(changeText),
  ];
  if (service.adopted) notes.push('adopted: the kernel had it already');
  if (nearness !== undefined) notes.push(nearnessText(nearness));
  if (reason !== null) notes.push(service.held ? `held: ${reason}` : reason);

  const rows = service.backends.map((backend) => row(backend, service.slowStartSeconds));
  const widths = [0, 1, 2].map((column) =>
    rows.reduce((widest, { cells }) => Math.max(widest, textWidth(cells[column] ?? '')), 0),
  );
  return [
    paint(COLOURS[op], `${SIGNS[op]} ${title}  ${notes.join('  ')}`),
    ...rows.map(({ op: rowOp, cells }) => {
      const text = cells.map((cell, column) => pad(cell, widths[column] ?? 0)).join('  ');
      return paint(COLOURS[rowOp], `    ${SIGNS[rowOp]} ${text.trimEnd()}`);
    }),
  ];
}

function row(backend: PlannedBackend, slowStart: number | undefined): { op: Op; cells: string[] } {
  const { op, address, port, hostPort, weight, task, reason, changes } = backend;
  const reweighed = changes.find(({ field }) => field === 'weight');
  const others = changes.filter(({ field }) => field !== 'weight').map(changeText);
  const weights =
    reweighed === undefined
      ? weightText(weight, slowStart)
      : weightChangeText(Number(reweighed.was), Number(reweighed.becomes), slowStart);
  const elsewhere = hostPort === undefined ? [] : [`on other hosts ${endpointKey(hostPort)}`];
  const settings = backendFields.describe(backend, familyOf(address));
  const notes = [reason, settings, ...elsewhere, ...others].filter((note) => note !== '').join('  ');
  return { op, cells: [endpointKey({ address, port }), `weight ${weights}`, task ?? '', notes] };
}

function sumUp(
  { add, change, remove, keep }: Summary,
  services: readonly PlannedService[],
  declared: readonly Declared[],
): string {
  if (add + change + remove + keep === 0)
    return `Nothing to do: ${declared.length === 0 ? 'there are no VIPs' : 'no VIP can be added'}.`;
  if (add + change + remove === 0) return `No differences: ${plural(keep, 'VIP')} as desired.`;
  const backends = { add: 0, change: 0, remove: 0, keep: 0 };
  for (const service of services) for (const { op } of service.backends) backends[op] += 1;
  return (
    `${plural(add + change + remove, 'VIP')} to change: ${add} added, ${change} changed, ${remove} removed, ${keep} kept; ` +
    `backends: ${backends.add} added, ${backends.change} changed, ${backends.remove} removed, ${backends.keep} kept.`
  );
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
