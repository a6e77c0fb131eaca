import type { Document } from 'yaml';
import { isRecord } from '../../../../input/rejection.ts';
import { parseYaml } from '../../../../input/yaml.ts';
import { parseJson } from '../../../../source/json/text.ts';

/** Parses one document of JSON or YAML. Throws a `SyntaxError` with the position of the mistake. */
export function parseDocument(text: string): unknown {
  // JSON is YAML too, but a JSON parser describes its mistakes better.
  if (isJson(text)) {
    try {
      return parseJson(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(`not JSON: ${error.message}`, { cause: error });
    }
  }
  // Merge keys (`<<: *base`) count, as in kubectl.
  const { documents, mistake } = parseYaml(text, { merge: true });
  if (mistake !== null) {
    const { message, line, column } = mistake;
    throw new SyntaxError(`not valid YAML: ${message} at line ${line}, column ${column}`);
  }
  const [document] = documents;
  if (document === undefined) throw new SyntaxError('it is empty');
  if (documents.length > 1) throw new SyntaxError(`expected one document, not ${documents.length}`);
  return contentOf(document);
}

/** The value of a document, with what its aliases stand for. */
function contentOf(document: Document): unknown {
  try {
    const value: unknown = document.toJS();
    // An alias inside its own anchor would be a value without an end.
    JSON.stringify(value);
    return value;
  } catch (error) {
    if (error instanceof ReferenceError)
      throw new SyntaxError(`not valid YAML: ${error.message}`, { cause: error });
    if (error instanceof TypeError)
      throw new SyntaxError('not valid YAML: an alias stands for what contains it', { cause: error });
    throw error;
  }
}

/** Whether the text is read as JSON rather than YAML. */
export function isJson(text: string): boolean {
  return /^\uFEFF?\s*[[{"]/.test(text);
}

/** Whether the JSON is meant as a Kubernetes object rather than a Marathon definition. */
export function isManifest(json: unknown): json is Readonly<Record<string, unknown>> {
  return isRecord(json) && 'kind' in json && ('apiVersion' in json || 'metadata' in json);
}
