import { usage } from '../../../config/option-text.ts';
import { isRecord, shown } from '../../../input/rejection.ts';
import { utf8 } from '../../../input/utf8.ts';
import { repeatedKeysIn } from '../../../source/json/repeated-keys.ts';
import { parseJson } from '../../../source/json/text.ts';
import { quoted } from '../../../text/visible.ts';
import type { AppPorts } from './messages.ts';

/** Fields of an app to replace, and the JSON text that is sent for it. */
export interface Change {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const ASSIGNMENT = /^([A-Za-z][A-Za-z0-9]*)=(.*)$/s;

/**
 * Reads `instances=3 cpus=0.5`, or the JSON in a file (`-` or none: standard input). Rejects with a `ControllerError`
 * 'usage' for anything else.
 */
export async function changeOf(
  changes: readonly string[],
  ports: Pick<AppPorts, 'readInput' | 'readInputFile'>,
): Promise<Change> {
  const source = assignmentsOrFile(changes);
  if ('fields' in source) return { fields: source.fields, text: JSON.stringify(source.fields) };
  const text = await readText(source.file, ports);
  const fields = parsed(text, shownFile(source.file));
  return { fields, text: text.startsWith('\uFEFF') ? text.slice(1) : text };
}

/** The fields of `KEY=VALUE…`, or the named file (null: none). Throws a `ControllerError` 'usage' for a mixture. */
export function assignmentsOrFile(
  changes: readonly string[],
): Pick<Change, 'fields'> | { readonly file: string | null } {
  const assignments = changes.map((text) => ASSIGNMENT.exec(text));
  if (changes.length > 0 && assignments.every((found) => found !== null)) {
    return {
      fields: Object.fromEntries(assignments.map(([, key = '', value = '']) => [key, readValue(value)])),
    };
  }
  const [file = null, ...others] = changes;
  if (others.length > 0) {
    throw usage(`"${changes.join(' ')}" is not accepted, expected KEY=VALUE…, or one file`);
  }
  return { file };
}

/** The name of the file for messages. */
export function shownFile(file: string | null): string {
  return file === null || file === '-' ? 'standard input' : file;
}

/**
 * Reads a file, or standard input for `-` and null. Rejects with a `ControllerError` 'usage' if it cannot be read, is too large
 * or is not UTF-8.
 */
export async function readText(
  file: string | null,
  { readInput, readInputFile }: Pick<AppPorts, 'readInput' | 'readInputFile'>,
): Promise<string> {
  const text = utf8(file === null || file === '-' ? await readInput() : await readInputFile(file));
  if (text === null)
    throw usage(`${shownFile(file)} is not UTF-8: sending it would change its non-ASCII characters`);
  return text;
}

function parsed(text: string, where: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw usage(`${where} is not JSON: ${error.message}`);
  }
  const [repeated] = repeatedKeysIn(text);
  if (repeated !== undefined)
    throw usage(`${where}: ${repeated.at} = ${quoted(repeated.value)}: ${repeated.reason}`);
  if (isRecord(json)) return json;
  throw usage(`${where}: expected an object with the fields that change, not ${shown(json)}`);
}

/** Parses the value as JSON; if it is none, it stays text: `cmd=sleep 10`. */
function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
