import { namespaceHint } from '../netns/report.ts';
import { plural } from '../status/format.ts';
import type { Colour, Layout } from '../text/table.ts';
import { visible, visibleDocument } from '../text/visible.ts';
import type { DoctorDocument, Finding } from './document.ts';

const SIGNS: Record<Finding['state'], string> = { ok: '+', warning: '!', problem: '-' };
const COLOURS: Record<Finding['state'], Colour> = { ok: 'green', warning: 'yellow', problem: 'red' };

/** A container usually has neither the rights nor the programs. */
const WHERE = 'Each fix is a line for a root shell on the host itself, not in a container.\n';

function whereToFix(namespace: string | null): string {
  return namespace === null ? WHERE : `In a network namespace: ${namespaceHint(visible(namespace))}.\n`;
}

/** Formats the findings by heading; those that did not pass with the reason and the command that fixes them. */
export function doctorText(
  { findings, summary, kernel, namespace }: DoctorDocument,
  { paint }: Pick<Layout, 'paint'>,
): string {
  const groups = Map.groupBy(visibleDocument(findings), ({ group }) => group);
  const blocks = [...groups].map(([group, members]) =>
    [paint('bold', group), ...members.flatMap((one) => lines(one, paint))].join('\n'),
  );
  const { ok, warning, problem } = summary;
  const verdict =
    problem > 0 ? paint('red', `${plural(problem, 'problem')} to fix`) : paint('green', 'no problems found');
  const hint = findings.some(({ command }) => command !== null) ? whereToFix(namespace) : '';
  return `${blocks.join('\n\n')}\n\n${hint}Kernel ${visible(kernel)}: ${verdict}; ${plural(warning, 'warning')}, ${ok} ok\n`;
}

function lines(
  { check, state, found, wanted, why, command, after }: Finding,
  paint: Layout['paint'],
): string[] {
  const detail = [
    ...(wanted === null ? [] : [`wanted: ${wanted}`]),
    ...(why === null ? [] : [`why: ${why}`]),
    ...(after === null ? [] : [`after: ${after}`]),
    ...(command === null ? [] : [`fix: ${command}`]),
  ];
  return [
    paint(COLOURS[state], `[${SIGNS[state]}] ${check}: ${found}`),
    ...detail.map((line) => `      ${line}`),
  ];
}
