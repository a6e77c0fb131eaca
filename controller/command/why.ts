import { yamlText } from '../cli/yaml.ts';
import type { Config } from '../config/config.ts';
import { EXIT_DIFFERENT, EXIT_ERROR, EXIT_OK } from '../exit-status.ts';
import { painter } from '../status/table.ts';
import { visibleJson } from '../visible.ts';
import { parseAsked } from '../why/asked.ts';
import type { WhyDocument } from '../why/document.ts';
import type { Asked } from '../why/facts.ts';
import { whyText } from '../why/print-text.ts';

export interface WhyCommandPorts {
  /** Walks the way, here or where another controller runs. */
  readonly explain: (asked: Asked) => Promise<WhyDocument>;
  /** Standard output. */
  readonly print: (text: string) => void;
  readonly colour: boolean;
}

/**
 * Prints why connections to a VIP fail, or that they work. Resolves with the exit status: 0 it works, 1 something is broken, 2
 * it could not be found out. Rejects with a `ControllerError` where nobody can tell what should be.
 */
export async function why(
  config: Pick<Config, 'output'>,
  text: string,
  { explain, print, colour }: WhyCommandPorts,
): Promise<number> {
  const document = await explain(parseAsked(text));
  print(formatWhy(document, config.output, colour));
  return STATUS[document.verdict];
}

const STATUS: Record<WhyDocument['verdict'], number> = {
  works: EXIT_OK,
  broken: EXIT_DIFFERENT,
  unknown: EXIT_ERROR,
};

function formatWhy(document: WhyDocument, output: Config['output'], colour: boolean): string {
  switch (output) {
    case 'json':
      return `${visibleJson(document, 2)}\n`;
    case 'yaml':
      return yamlText(document);
    default:
      return whyText(document, { paint: painter(colour) });
  }
}
