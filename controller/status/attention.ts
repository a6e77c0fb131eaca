import type { Colour, Layout } from '../text/table.ts';
import { quoted } from '../text/visible.ts';
import type { StatusDocument } from './document.ts';
import { ago, duration, plural, unevenText } from './format.ts';

/** Lines shown of each kind: a mistake in a shared template may reject hundreds of labels. */
const MAX_SHOWN = 20;

/** Returns one line for each problem, the most severe first, then an empty line. Returns nothing if there are no problems. */
export function attention(document: StatusDocument, { paint }: Pick<Layout, 'paint'>): string[] {
  const { lastPass, host, failures, warnings } = document;
  const kinds: readonly (readonly [Colour, readonly string[]])[] = [
    ['red', typeof lastPass?.error === 'string' ? [lastPass.error] : []],
    ['red', host.problems],
    ['red', failures.map(({ step, message }) => `${step}: ${message}`)],
    [
      'red',
      document.conflicts.map(({ id, apps, reason }) => `conflict  ${id}  ${apps.join(', ')}: ${reason}`),
    ],
    ['yellow', held(document)],
    ['red', document.rejected.map(rejection)],
    ['yellow', pending(document)],
    ['yellow', uneven(document)],
    ['yellow', document.refused.map(({ address, reason }) => `refused  ${address}: ${reason}`)],
    ['yellow', document.sources.flatMap(unread)],
    ['yellow', notInSync(document)],
    ['yellow', host.advice],
    ['yellow', warnings],
    ['yellow', document.largeRemovals.map((removal) => notHeld(removal, document.at))],
  ];
  const lines = kinds.flatMap(([colour, texts]) => {
    const more =
      texts.length > MAX_SHOWN
        ? [`… and ${texts.length - MAX_SHOWN} more like these (-o json has them all)`]
        : [];
    return [...texts.slice(0, MAX_SHOWN), ...more].map((text) => paint(colour, `! ${text}`));
  });
  return lines.length === 0 ? [] : [...lines, ''];
}

function held({ held: brake, at }: StatusDocument): string[] {
  if (brake === null) return [];
  const left = Math.max(0, (Date.parse(brake.until) - Date.parse(at)) / 1_000);
  return [`held for ${duration(left)} more: ${plural(brake.services.length, 'VIP')}: ${brake.reason}`];
}

/** Describes a large removal that the brake did not hold: when, how much of how much, and why. */
export function notHeld({ at, reason }: StatusDocument['largeRemovals'][number], now: string): string {
  return `not held, ${ago(at, now)} ago: ${reason}`;
}

function rejection({ app, at, value, reason }: StatusDocument['rejected'][number]): string {
  const where = at === '' ? app : `${app}  ${at}`;
  return `rejected  ${where}${value === '' ? '' : ` = ${quoted(value)}`}: ${reason}`;
}

/** Returns one line for each network namespace that is not as desired, with the reason. */
export function notInSync({
  networkNamespaces: report,
}: Pick<StatusDocument, 'networkNamespaces'>): string[] {
  if (report === null) return [];
  const behind = report.namespaces.filter(({ inSync }) => !inSync);
  return [
    ...(report.failure === null ? [] : [report.failure]),
    ...behind.map(({ id, reason }) => `network namespace ${id} is not in sync: ${reason ?? ''}`),
  ];
}

function pending({ vips }: StatusDocument): string[] {
  return vips
    .filter(({ state }) => state === 'pending')
    .map(({ id, reason }) => `pending  ${id}: ${reason ?? ''}`);
}

function uneven({ vips, at }: StatusDocument): string[] {
  return vips.flatMap(({ id, spread }) =>
    spread?.uneven ? [`uneven  ${id}: ${unevenText(spread, at)}`] : [],
  );
}

function unread({ name, failure, ageSeconds }: StatusDocument['sources'][number]): string[] {
  if (failure === null) return [];
  const age = ageSeconds === null ? 'never read' : `last read ${duration(ageSeconds)} ago`;
  return [`source ${name}: ${age}: ${failure.message}`];
}
