import { endpointKey } from '../model/endpoint.ts';
import { namespaceHint } from '../netns/report.ts';
import type { Colour, Layout } from '../text/table.ts';
import { visibleDocument } from '../text/visible.ts';
import { STAGES } from './causes.ts';
import type { StepDocument, TraceDocument, WhyDocument } from './document.ts';
import { verdictText } from './verdict-text.ts';

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
const VERDICT_COLOURS: Record<TraceDocument['verdict'], Colour> = {
  works: 'green',
  broken: 'red',
  unknown: 'yellow',
};
const WIDTH = Math.max(...STAGES.map((name) => name.length));

/** Formats the trace of each VIP: one line for each check, then the verdict. */
export function whyText(document: WhyDocument, { paint }: Pick<Layout, 'paint'>): string {
  const { ways, asked, namespace } = visibleDocument(document);
  const texts = ways.map((trace) => `${traceLines(trace, asked, paint).join('\n')}\n`);
  const isToFix = ways.some(({ steps }) => steps.some(({ fix }) => fix !== null));
  if (namespace !== null && isToFix) texts.push(`In a network namespace: ${namespaceHint(namespace)}\n`);
  return texts.join('\n');
}

function traceLines(trace: TraceDocument, asked: string, paint: Layout['paint']): string[] {
  const { vip, steps } = trace;
  const lines = steps.flatMap((step) => stepLines(step, paint));
  const title = vip === null ? asked : titleOf(vip);
  return [paint('bold', title), ...lines, verdictLine(trace, paint)];
}

function titleOf({ id, fqdn, address, port }: NonNullable<TraceDocument['vip']>): string {
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

function verdictLine(trace: TraceDocument, paint: Layout['paint']): string {
  const { word, about } = verdictText(trace);
  const verdict = paint(VERDICT_COLOURS[trace.verdict], word);
  if (about !== null) return `${verdict}: ${about}`;
  return trace.verdict === 'unknown' ? `${verdict}: see the lines with [?]` : verdict;
}
