import { Document, visit } from 'yaml';
import type { Config } from '../config/config.ts';
import { visible, visibleInJson, visibleJson } from '../text/visible.ts';

/**
 * A document in the format of `-o`: JSON or YAML for scripts, else the result of `text`, which must have escaped any
 * foreign text.
 */
export function documentText(output: Config['output'], document: unknown, text: () => string): string {
  if (output === 'json') return `${visibleJson(document, 2)}\n`;
  return output === 'yaml' ? yamlText(document) : text();
}

/** YAML that is safe to print: strings with characters that a terminal would not show are quoted and escaped. */
export function yamlText(document: unknown): string {
  const yaml = new Document(document);
  visit(yaml, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && visible(node.value) !== node.value) node.type = 'QUOTE_DOUBLE';
    },
  });
  // Quoted as in JSON, on one line with four-digit escapes, which YAML accepts too.
  return visibleInJson(yaml.toString({ doubleQuotedAsJSON: true }));
}
