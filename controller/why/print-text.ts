import { endpointKey } from '../model.ts';
import { namespaceHint } from '../namespace-report.ts';
import type { Colour, Layout } from '../text-table.ts';
import { visibleDocument } from '../visible.ts';
import { CAUSES, STAGES } from './causes.ts';
import type { StepDocument, WayDocument, WhyDocument } from './document.ts';

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

function wayLines(
  { vip, steps, verdict, cause }: WayDocument,
  asked: string,
  paint: Layout['paint'],
): string[] {
  const lines = steps.flatMap((step) => stepLines(step, paint));
  const title = vip === null ? asked : titleOf(vip);
  return [paint('bold', title), ...lines, verdictLine(verdict, cause, paint)];
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

function verdictLine(
  verdict: WayDocument['verdict'],
  cause: WayDocument['cause'],
  paint: Layout['paint'],
): string {
  if (cause !== null) return `${paint('red', 'Broken')}: ${CAUSES[cause].title} (${cause})`;
  return verdict === 'works'
    ? paint('green', 'Works')
    : paint('yellow', 'Could not find out: see the lines with [?]');
}
