import type { PassStatus } from '../../pass-status.ts';
import { formatStep } from '../../plan/ipvsadm.ts';
import { toJson } from '../../plan/print-json.ts';
import { toText } from '../../plan/print-text.ts';
import { reportOf } from '../../status/report.ts';
import type { Paint } from '../../text-table.ts';
import { visibleJson } from '../../visible.ts';

export interface PrintOptions {
  readonly output: 'text' | 'json' | 'ipvsadm';
  readonly paint: Paint;
}

/** The document of one pass, in the format of `-o`. Ends with a newline unless it is empty. */
export function formatReport(pass: PassStatus, { output, paint }: PrintOptions): string {
  const { plan } = pass;
  const report = reportOf(pass);
  switch (output) {
    case 'json':
      return `${visibleJson(toJson(report), 2)}\n`;
    case 'text':
      return toText(report, paint);
    case 'ipvsadm':
      return [...plan.growing, ...plan.shrinking].map((step) => `${formatStep(step)}\n`).join('');
  }
}
