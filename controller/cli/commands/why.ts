import type { Config } from '../../config/config.ts';
import { EXIT_DIFFERENT, EXIT_ERROR, EXIT_OK } from '../../exit-status.ts';
import type { WhyDocument } from '../../why/document.ts';
import type { VipQuery } from '../../why/facts.ts';
import { whyText } from '../../why/print-text.ts';
import { parseVipQuery } from '../../why/query.ts';
import { documentText } from '../document-text.ts';
import type { Printer } from '../terminal.ts';

export interface WhyCommandPorts extends Pick<Printer, 'print' | 'layout'> {
  /** Walks the way, here or where another controller runs. */
  readonly explain: (asked: VipQuery) => Promise<WhyDocument>;
}

/**
 * Prints why connections to a VIP fail, or that they work. Resolves with the exit status: 0 it works, 1 something is broken, 2
 * it could not be found out. Rejects with a `ControllerError` where the desired state is unknown.
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
