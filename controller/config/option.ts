/** Defines options: their schema, their description, and common kinds of values. */

import { z } from 'zod';
import { parsePath, parseWholeNumber } from './values.ts';

export type CommandName =
  | 'run'
  | 'diff'
  | 'status'
  | 'connection'
  | 'health'
  | 'doctor'
  | 'why'
  | 'support-bundle'
  | 'cleanup'
  | 'relay'
  | AppCommandName
  | 'completion';

/** The commands that work on apps at Marathon or in a Kubernetes cluster, as `dcos marathon …` did. */
export type AppCommandName = `app ${'add' | 'update' | 'remove' | 'list' | 'show'}` | 'pod add';

export const WRITES_APPS: readonly AppCommandName[] = ['app add', 'app update', 'app remove', 'pod add'];
export const APP_COMMANDS: readonly AppCommandName[] = [...WRITES_APPS, 'app list', 'app show'];

/** The commands that connect to a running controller. */
export const CONNECTS: readonly CommandName[] = [
  'status',
  'health',
  'doctor',
  'why',
  'support-bundle',
  ...WRITES_APPS,
];

/** The commands, in the order of the help. */
export const commandDescriptions: ReadonlyMap<CommandName, string> = new Map([
  ['run', 'keep the kernel as the sources define it, until stopped'],
  ['diff', 'print what run would change, and change nothing (run --once --dry-run)'],
  ['status', 'show VIPs, backends, weights, reasons and connections of the running controller'],
  ['connection', 'print how to connect to a service, as `dcos kafka connection` did, or list the services'],
  ['health', 'check whether the controller on this host is alive or ready: an exit status for probes'],
  ['doctor', 'check this host, and print each problem with the command that fixes it'],
  ['why', 'explain why connections to a VIP fail: the first broken step of the path, and its fix'],
  [
    'support-bundle',
    'write an archive for a bug report: status, diff, doctor, tables and log, without secrets',
  ],
  ['cleanup', 'remove what this controller owns on this host, and nothing else'],
  ['relay', 'publish the apps of the sources as MarathonApps in a Kubernetes cluster'],
  ['app add', 'deploy an app at Marathon or in Kubernetes, and print its VIPs'],
  ['app update', 'change an app, and print its VIPs'],
  ['app remove', 'remove an app'],
  ['app list', 'list the apps of Marathon or Kubernetes with their VIPs'],
  ['app show', 'show one app: its VIPs, and its tasks with their addresses'],
  ['pod add', 'deploy a pod, and print its VIPs'],
  ['completion', 'print a script that completes this command line in a shell'],
]);

/** The names of commands for help; a complete group is shown as one: `app …`. */
export function shownCommands(commands: readonly CommandName[]): readonly string[] {
  const names = [...commandDescriptions.keys()];
  const shown = names
    .filter((name) => commands.includes(name))
    .map((name) => {
      const [group = ''] = name.split(' ');
      const all = names.filter((other) => other.startsWith(`${group} `));
      return all.length > 0 && all.every((other) => commands.includes(other)) ? `${group} …` : name;
    });
  return [...new Set(shown)];
}

/**
 * `read`: an input that is read again when it changes, so it cannot be a pipe; `read once`: an input that may also be empty or
 * a pipe of the shell; `written` and `directory`: created if missing.
 */
export type FileKind = 'read' | 'read once' | 'written' | 'directory';

const ACCEPTED_PATHS: Readonly<Record<FileKind, string>> = {
  read: 'the path of a readable file',
  'read once': 'the path of a readable file',
  written: 'the path of a file',
  directory: 'the path of a directory',
};

/** What help and reference show of an option besides its default. */
export interface OptionInfo {
  /** The heading under which help and reference list it. */
  readonly group:
    | 'Sources'
    | 'Apps'
    | 'Diff'
    | 'Output'
    | 'Status'
    | 'VIPs'
    | 'Names'
    | 'This host'
    | 'Timing'
    | 'Process';
  /** The letter of its short form. */
  readonly short?: string;
  /** The placeholder for the value in help: `ADDRESS:PORT`, `true|false`. */
  readonly value: string;
  /** Whether the value may be omitted on the command line, which means `true`. */
  readonly switch?: true;
  readonly repeatable?: true;
  /** The kind of file, for an option that takes a path. */
  readonly file?: FileKind;
  /** Completes "expected …" when a value is refused. */
  readonly accepted: string;
  readonly description: string;
  /** The commands that use it. */
  readonly commands: readonly CommandName[];
}

const information = z.registry<OptionInfo>();

/** Defines an option. `parse` turns its text into the value; `undefined` refuses the text. */
export function option<Value>(parse: (text: string) => Value | undefined, info: OptionInfo) {
  const schema = z.string().transform((text, context): Value => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue(`expected ${info.accepted}`);
    return z.NEVER;
  });
  return { schema, info };
}

/** Gives the option a default, as the text that an operator would write. */
export function withDefault<Schema extends z.ZodType<unknown, string>>(
  { schema, info }: { schema: Schema; info: OptionInfo },
  text: string,
) {
  // The cast is safe: the input type is `string`, which the compiler cannot derive for a type parameter.
  return described(schema.prefault(text as z.input<Schema>), info);
}

export function withoutDefault<Schema extends z.ZodType>({
  schema,
  info,
}: {
  schema: Schema;
  info: OptionInfo;
}) {
  return described(schema.optional(), info);
}

export function described<Schema extends z.ZodType>(schema: Schema, info: OptionInfo): Schema {
  information.add(schema, info);
  return schema;
}

export type OptionText = Pick<OptionInfo, 'group' | 'description' | 'commands'>;

export function choice<const Choice extends string>(
  choices: readonly Choice[],
  info: OptionText & { short?: string },
) {
  return option((text) => choices.find((known) => known === text), {
    ...info,
    value: choices.join('|'),
    accepted: choices.length === 2 ? choices.join(' or ') : `one of ${choices.join(', ')}`,
  });
}

export function switchOption(info: OptionText) {
  const read = (text: string) => (text === 'true' ? true : text === 'false' ? false : undefined);
  return option(read, { ...info, switch: true, value: 'true|false', accepted: 'true or false' });
}

export function wholeNumber(unit: string, min: number, max: number, info: OptionText) {
  return option((text) => parseWholeNumber(text, min, max), {
    ...info,
    value: 'NUMBER',
    accepted: `a whole number of ${unit} from ${min} to ${max}`,
  });
}

export function path(info: OptionText, file: FileKind = 'read') {
  return option(parsePath, { ...info, value: 'PATH', file, accepted: ACCEPTED_PATHS[file] });
}

/** The description of an option, with its default as an operator would write it, or null. */
export function informationOf(schema: z.ZodType): OptionInfo & { readonly fallback: string | null } {
  const info = information.get(schema);
  if (info === undefined) throw new Error('an option has no description');
  const fallback = schema instanceof z.ZodPrefault ? schema.def.defaultValue : null;
  return { ...info, fallback: typeof fallback === 'string' ? fallback : null };
}
