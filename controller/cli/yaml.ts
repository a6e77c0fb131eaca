import { Document, visit } from 'yaml';
import { visible, visibleInJson } from '../visible.ts';

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
