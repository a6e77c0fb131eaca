import type { PassStatus } from '../../pass-status.ts';
import { formatStep } from '../../plan/ipvsadm.ts';
import { toJson } from '../../plan/print-json.ts';
import { toText } from '../../plan/print-text.ts';
import { reportOf } from '../../status/report.ts';
import type { Paint } from '../../text/table.ts';
import { visibleInJson } from '../../text/visible.ts';
import { jsonPieces } from '../json-pieces.ts';

export interface PrintOptions {
  readonly output: 'text' | 'json' | 'ipvsadm';
  readonly paint: Paint;
}

/** The document of one pass, in the format of `-o`. Ends with a newline unless it is empty. */
export function formatReport(pass: PassStatus, options: PrintOptions): string {
  return [...reportPieces(pass, options)].join('');
}

/** Characters that are printed at once: a system call for each VIP would take longer than making its text. */
const PRINTED_AT_ONCE = 65_536;

/** Prints the same, without ever having all of it: that of 100,000 VIPs is larger than what it is made from. */
export function printReport(print: (text: string) => void, pass: PassStatus, options: PrintOptions): void {
  let text = '';
  for (const piece of reportPieces(pass, options)) {
    text += piece;
    if (text.length < PRINTED_AT_ONCE) continue;
    print(text);
    text = '';
  }
  if (text !== '') print(text);
}

function* reportPieces(pass: PassStatus, { output, paint }: PrintOptions): Generator<string> {
  const { growing, shrinking } = pass.plan;
  switch (output) {
    case 'json':
      for (const piece of jsonPieces(toJson(reportOf(pass)))) yield visibleInJson(piece);
      yield '\n';
      return;
    case 'text':
      yield toText(reportOf(pass), paint);
      return;
    case 'ipvsadm':
      for (const steps of [growing, shrinking]) for (const step of steps) yield `${formatStep(step)}\n`;
  }
}
