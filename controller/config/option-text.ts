/** Reads option texts from the environment and the file, and formats the error for a bad value. */

import { closeSync, openSync, readSync } from 'node:fs';
import { isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';
import { ControllerError, systemReason } from '../errors.ts';
import { utf8Problem } from '../input/utf8.ts';
import { parseYaml } from '../input/yaml.ts';
import { didYouMean, nearest } from '../text/suggestion.ts';
import { visible } from '../text/visible.ts';
import { describeOption, type OptionName, optionNames } from './options.ts';
import { withoutCredentials } from './values.ts';

/** Where the value of an option came from, weakest first. */
export type Origin = 'default' | 'file' | 'environment' | 'flag';

/** The text of an option from one place: a flag, a variable or the file. */
export interface OptionText {
  readonly name: OptionName;
  readonly origin: Exclude<Origin, 'default'>;
  /** The place, for messages: `on the command line`, `from MARATHON_IPVS_ZONE`, `from /etc/marathon-ipvs.yaml`. */
  readonly place: string;
  readonly text: string | readonly string[];
}

/** Environment variables; undefined ones are not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `resyncSeconds` -> `resync-seconds`: its name in the file, and with two dashes on the command line. */
export function fileName(name: OptionName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `resyncSeconds` -> `--resync-seconds`. */
export function flagName(name: OptionName): string {
  return `--${fileName(name)}`;
}

/** Maximum size of the file of `--config`: many times that of all options. */
const MAX_FILE_BYTES = 1_048_576;

const PREFIX = 'MARATHON_IPVS_';

/** `resyncSeconds` -> `MARATHON_IPVS_RESYNC_SECONDS`. */
export function variableName(name: OptionName): string {
  return variableOf(fileName(name));
}

const byVariable: ReadonlyMap<string, OptionName> = new Map(
  optionNames.map((name) => [variableName(name), name]),
);
const byFileName: ReadonlyMap<string, OptionName> = new Map(
  optionNames.filter((name) => name !== 'config').map((name) => [fileName(name), name]),
);

const LIST = 'marathon-ipvs run --help lists most of them, docs/options.md all';

/** `resync-seconds` -> `MARATHON_IPVS_RESYNC_SECONDS`. */
function variableOf(fileName: string): string {
  return PREFIX + fileName.replaceAll('-', '_').toUpperCase();
}

/**
 * Variables that Kubernetes sets in every pod of a namespace with a Service called marathon-ipvs, as Docker links do. They
 * are not options.
 */
const SERVICE_LINK =
  /^MARATHON_IPVS_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)$/;

/** The options in the environment. An empty variable counts as unset: compose files and unit files leave such variables. */
export function fromEnvironment(environment: Environment): OptionText[] {
  const options: OptionText[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || text === undefined || text === '') continue;
    const name = byVariable.get(variable);
    if (name !== undefined) {
      options.push({ name, origin: 'environment', place: `from ${variable}`, text: severalOf(name, text) });
    } else if (!SERVICE_LINK.test(variable)) {
      const meant = nearest(variable.slice(PREFIX.length), [...byFileName.keys(), 'config']);
      const suggestion = meant === null ? null : variableOf(meant);
      throw usage(
        `unknown option "${printable(variable)}" in the environment${didYouMean(suggestion, LIST)}`,
      );
    }
  }
  return options;
}

/** Splits the values of a repeatable option at blanks before `KIND=` or `kubernetes`, since a path may contain blanks. */
function severalOf(name: OptionName, text: string): string | readonly string[] {
  return describeOption(name).repeatable === true
    ? text.trim().split(/\s+(?=[a-z-]+=|kubernetes(?:\s|$))/)
    : text;
}

/** The options in a YAML file, which maps an option to its value, or a repeatable option to a list of values. */
export function fromFile(path: string, place: string): OptionText[] {
  // `failsafe` keeps every scalar as text, so that values in the file have the same grammar as flags.
  const { documents, firstLines, mistake } = parseYaml(readText(path, place), { schema: 'failsafe' });
  const file = printable(path);
  if (mistake !== null) {
    const { line, message } = mistake;
    throw usage(`--config ${place}: ${file} line ${line} is not valid YAML: ${printable(message)}`);
  }
  if (documents.length > 1)
    throw usage(`--config ${place}: ${file} line ${firstLines[1]} has a second document, expected one`);
  const contents = documents[0]?.contents ?? null;
  if (contents === null || (isScalar(contents) && contents.value === '')) return [];
  if (!isMap<Node, Node | null>(contents)) {
    throw usage(`--config ${place}: ${file} has no options, expected lines of the form NAME: VALUE`);
  }
  return contents.items.map(({ key, value }) => {
    const text = isScalar(key) ? String(key.value) : String(key);
    const name = byFileName.get(text);
    if (text === 'config')
      throw usage(`"config" in ${file}: a file cannot name another one; remove it there`);
    if (name === undefined) {
      const suggestion = nearest(text, [...byFileName.keys()]);
      throw usage(`unknown option "${printable(text)}" in ${file}${didYouMean(suggestion, LIST)}`);
    }
    return { name, origin: 'file', place: `from ${file}`, text: textOf(name, value, `from ${file}`) };
  });
}

function readText(path: string, place: string): string {
  const refuse = (why: string) =>
    refusal({ name: 'config', place }, path, `${why}; expected a YAML file with options`);
  let bytes: Buffer | null;
  try {
    bytes = contentOf(path);
  } catch (cause) {
    throw refuse(systemReason(cause));
  }
  if (bytes === null) throw refuse(`larger than ${MAX_FILE_BYTES} bytes`);
  const wrong = utf8Problem(bytes);
  if (wrong !== null) throw refuse(wrong);
  return bytes.toString('utf8');
}

/** null: it is larger than `MAX_FILE_BYTES`. */
function contentOf(path: string): Buffer | null {
  const buffer = Buffer.allocUnsafeSlow(MAX_FILE_BYTES + 1);
  const file = openSync(path, 'r');
  try {
    for (let used = 0; used < buffer.length; ) {
      const count = readSync(file, buffer, used, buffer.length - used, null);
      if (count === 0) return buffer.subarray(0, used);
      used += count;
    }
    return null;
  } finally {
    closeSync(file);
  }
}

function textOf(name: OptionName, value: Node | null, place: string): string | readonly string[] {
  if (isScalar(value)) return severalOf(name, String(value.value));
  if (isSeq(value) && describeOption(name).repeatable === true) {
    return value.items.map((item) => {
      if (isScalar(item)) return String(item.value);
      throw notText({ name, place }, item as Node | null);
    });
  }
  throw notText({ name, place }, value);
}

function notText(option: Pick<OptionText, 'name' | 'place'>, value: Node | null): ControllerError {
  if (isAlias(value))
    return refusal(option, `*${value.source}`, 'YAML aliases are not supported; write the value itself');
  return refusal(option, value === null ? '' : String(value));
}

/** The error for a value that is not accepted; `why` may be more specific than what the option accepts. */
export function refusal(
  { name, place }: Pick<OptionText, 'name' | 'place'>,
  text: string,
  why = `expected ${describeOption(name).accepted}`,
): ControllerError {
  return usage(`${flagName(name)} ${place}: "${printable(text)}" is not accepted, ${why}`);
}

/** The option as the operator wrote it: `--source`, `MARATHON_IPVS_SOURCE`, or `source in /etc/marathon-ipvs.yaml`. */
export function optionAsWritten(
  {
    origins,
    config,
  }: { readonly origins: Readonly<Record<OptionName, Origin>>; readonly config?: string | undefined },
  name: OptionName,
): string {
  switch (origins[name]) {
    case 'environment':
      return variableName(name);
    case 'file':
      return `${fileName(name)} in ${printable(config ?? 'the file of --config')}`;
    default:
      return flagName(name);
  }
}

/** An error in the options. `message` is one line. */
export function usage(message: string): ControllerError {
  return new ControllerError('usage', message, { retry: 'never' });
}

const MAX_PRINTED = 200;
/** `user:password@` where the slashes of the URL are missing, or behind which there is a blank. */
const BEFORE_AT = /[^\s=,/@]+:(?!\/\/\*\*\*@).*@/s;

/** Foreign text for a message: shortened, without passwords in URLs and without control characters. */
export function printable(text: string): string {
  const shown = visible(withoutCredentials(text).replace(BEFORE_AT, '***@'));
  return shown.length > MAX_PRINTED ? `${shown.slice(0, MAX_PRINTED)}…` : shown;
}
