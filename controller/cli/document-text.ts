import { Document, visit } from 'yaml';
import type { Config } from '../config/config.ts';
import { visible, visibleInJson, visibleJson } from '../visible.ts';

/**
 * A document in the format of `-o`: JSON or YAML for scripts, else `text`, whose maker has made visible what is
 * foreign in it.
 */
export function documentText(output: Config['output'], document: unknown, text: () => string): string {
  if (output === 'json') return `${visibleJson(document, 2)}\n`;
  return output === 'yaml' ? yamlText(document) : text();
}

/** YAML of a document that a terminal shows as it is: texts with anything unsafe are quoted, and that is escaped. */
export function yamlText(document: unknown): string {
  const yaml = new Document(document);
  visit(yaml, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && visible(node.value) !== node.value) node.type = 'QUOTE_DOUBLE';
    },
  });
  // As JSON: one line, with escapes of four digits, which YAML reads too.
  return visibleInJson(yaml.toString({ doubleQuotedAsJSON: true }));
}
