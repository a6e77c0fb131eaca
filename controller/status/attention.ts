import { quoted } from '../visible.ts';
import type { StatusDocument } from './document.ts';
import type { Colour, Layout } from './table.ts';
import { ago, duration, plural } from './words.ts';

/** Of each kind so many are shown: a mistake in a template may reject hundreds of labels. */
const SHOWN = 20;

/** Lines for what an operator should know of, the gravest first, and an empty one after them; none where all is well. */
export function attention(document: StatusDocument, { paint }: Pick<Layout, 'paint'>): string[] {
  const { lastPass, host, failures, warnings } = document;
  const kinds: readonly (readonly [Colour, readonly string[]])[] = [
    ['31', typeof lastPass?.error === 'string' ? [lastPass.error] : []],
    ['31', host.problems],
    ['31', failures.map(({ step, message }) => `${step}: ${message}`)],
    [
      '31',
      document.conflicts.map(({ id, apps, reason }) => `conflict  ${id}  ${apps.join(', ')}: ${reason}`),
    ],
    ['33', held(document)],
    ['31', document.rejected.map(rejection)],
    ['33', pending(document)],
    ['33', document.refused.map(({ address, reason }) => `refused  ${address}: ${reason}`)],
    ['33', document.sources.flatMap(unread)],
    ['33', host.advice],
    ['33', warnings],
    ['33', document.largeRemovals.map((removal) => notHeld(removal, document.at))],
  ];
  const lines = kinds.flatMap(([colour, texts]) => {
    const more =
      texts.length > SHOWN ? [`… and ${texts.length - SHOWN} more like these (-o json has them all)`] : [];
    return [...texts.slice(0, SHOWN), ...more].map((text) => paint(colour, `! ${text}`));
  });
  return lines.length === 0 ? [] : [...lines, ''];
}

function held({ held: brake, at }: StatusDocument): string[] {
  if (brake === null) return [];
  const left = Math.max(0, (Date.parse(brake.until) - Date.parse(at)) / 1_000);
  return [`held for ${duration(left)} more: ${plural(brake.services.length, 'VIP')}: ${brake.reason}`];
}

/** A large removal that was let go: when, how much of how much, and why. */
export function notHeld({ at, reason }: StatusDocument['largeRemovals'][number], now: string): string {
  return `not held, ${ago(at, now)} ago: ${reason}`;
}

function rejection({ app, at, value, reason }: StatusDocument['rejected'][number]): string {
  const where = at === '' ? app : `${app}  ${at}`;
  return `rejected  ${where}${value === '' ? '' : ` = ${quoted(value)}`}: ${reason}`;
}

function pending({ vips }: StatusDocument): string[] {
  return vips
    .filter(({ state }) => state === 'pending')
    .map(({ id, reason }) => `pending  ${id}: ${reason ?? ''}`);
}

function unread({ name, failure, ageSeconds }: StatusDocument['sources'][number]): string[] {
  if (failure === null) return [];
  const age = ageSeconds === null ? 'never read' : `last read ${duration(ageSeconds)} ago`;
  return [`source ${name}: ${age}: ${failure.message}`];
}
