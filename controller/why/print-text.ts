import { endpointKey } from '../model.ts';
import { namespaceHint } from '../namespace-report.ts';
import type { Colour, Layout } from '../text-table.ts';
import { visibleDocument } from '../visible.ts';
import { STAGES } from './causes.ts';
import type { StepDocument, WayDocument, WhyDocument } from './document.ts';
import { verdictWords } from './verdict-words.ts';

const SIGNS: Record<StepDocument['state'], string> = {
  ok: '+',
  note: '·',
  suspect: '!',
  broken: '-',
  unknown: '?',
};
const COLOURS: Record<StepDocument['state'], Colour> = {
  ok: 'green',
  note: 'dim',
  suspect: 'yellow',
  broken: 'red',
  unknown: 'yellow',
};
const VERDICT_COLOURS: Record<WayDocument['verdict'], Colour> = {
  works: 'green',
  broken: 'red',
  unknown: 'yellow',
};
const WIDTH = Math.max(...STAGES.map((name) => name.length));

/** Each way for eyes, a line for each check, and the verdict below it. */
export function whyText(document: WhyDocument, { paint }: Pick<Layout, 'paint'>): string {
  const { ways, asked, namespace } = visibleDocument(document);
  const texts = ways.map((way) => `${wayLines(way, asked, paint).join('\n')}\n`);
  const isToFix = ways.some(({ steps }) => steps.some(({ fix }) => fix !== null));
  if (namespace !== null && isToFix)
    texts.push(`Looked at in a network namespace: ${namespaceHint(namespace)}\n`);
  return texts.join('\n');
}

function wayLines(way: WayDocument, asked: string, paint: Layout['paint']): string[] {
  const { vip, steps } = way;
  const lines = steps.flatMap((step) => stepLines(step, paint));
  const title = vip === null ? asked : titleOf(vip);
  return [paint('bold', title), ...lines, verdictLine(way, paint)];
}

function titleOf({ id, fqdn, address, port }: NonNullable<WayDocument['vip']>): string {
  const name = fqdn === null ? '' : `  ${fqdn}:${port}`;
  return `${id}${name}${address === null || id.includes(endpointKey({ address, port })) ? '' : `  ${address}`}`;
}

function stepLines({ stage, state, found, fix }: StepDocument, paint: Layout['paint']): string[] {
  const margin = ' '.repeat(WIDTH + 6);
  return [
    `${paint(COLOURS[state], `[${SIGNS[state]}] ${stage.padEnd(WIDTH)}`)}  ${found}`,
    ...(fix === null ? [] : [`${margin}fix: ${fix}`]),
  ];
}

function verdictLine(way: WayDocument, paint: Layout['paint']): string {
  const { word, about } = verdictWords(way);
  const verdict = paint(VERDICT_COLOURS[way.verdict], word);
  if (about !== null) return `${verdict}: ${about}`;
  return way.verdict === 'unknown' ? `${verdict}: see the lines with [?]` : verdict;
}
