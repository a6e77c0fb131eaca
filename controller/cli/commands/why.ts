import type { Config } from '../../config/config.ts';
import type { WhyDocument } from '../../why/document.ts';
import type { VipQuery } from '../../why/facts.ts';
import { whyText } from '../../why/print-text.ts';
import { parseVipQuery } from '../../why/query.ts';
import { documentText } from '../document-text.ts';
import { EXIT_DIFFERENT, EXIT_ERROR, EXIT_OK } from '../exit-status.ts';
import type { Printer } from '../terminal.ts';

export interface WhyCommandPorts extends Pick<Printer, 'print' | 'layout'> {
  /** Traces a connection, on this host or at another controller. */
  readonly explain: (vip: VipQuery) => Promise<WhyDocument>;
}

/**
 * Prints why connections to a VIP fail, or that they work. Resolves with the exit status: 0 they work, 1 something is broken,
 * 2 the trace is not conclusive. Rejects with a `ControllerError` if the desired state is unknown.
 */
export async function why(
  config: Pick<Config, 'output'>,
  text: string,
  { explain, print, layout }: WhyCommandPorts,
): Promise<number> {
  const document = await explain(parseVipQuery(text));
  print(documentText(config.output, document, () => whyText(document, layout())));
  return STATUS[document.verdict];
}

const STATUS: Record<WhyDocument['verdict'], number> = {
  works: EXIT_OK,
  broken: EXIT_DIFFERENT,
  unknown: EXIT_ERROR,
};
