import { ControllerError } from '../errors.ts';
import { checkFile, checkSourceFile } from './files.ts';
import { APP_COMMANDS, type CommandName } from './option.ts';
import {
  type Environment,
  fromEnvironment,
  fromFile,
  type OptionText,
  type Origin,
  optionAsWritten,
  printable,
  refusal,
  usage,
} from './option-text.ts';
import { describeOption, type OptionName, type OptionValues, optionNames, options } from './options.ts';
import { checkServing } from './serving-rules.ts';
import { sourceName } from './values.ts';

/** The value of every option. A command ignores those of other commands. */
export interface Config extends OptionValues {
  /** Where each value came from; for example, `--against FILE` only uses a `--ledger` that was given explicitly. */
  readonly origins: Readonly<Record<OptionName, Origin>>;
}

/**
 * Merges flags, environment, file (`--config`) and defaults, in this order of precedence, and checks them. A bad value is
 * refused even if a stronger one overrides it, since it would surface later. Environment and file may be shared by all
 * commands, so options of other commands in them are ignored.
 *
 * Throws a `ControllerError` with code `usage`, or `not-configured` if no source is named, and a message of one line.
 */
export function resolveConfig(
  command: CommandName,
  flags: readonly OptionText[],
  environment: Environment,
): Config {
  const overrides = [...flags, ...fromEnvironment(environment)];
  const file = overrides.find(({ name }) => name === 'config');
  const path = file === undefined ? undefined : check(file);
  if (file !== undefined) checkFile(file, String(path), 'read once', { needed: true });
  const layers = typeof path === 'string' ? [...overrides, ...fromFile(path, file?.place ?? '')] : overrides;
  checkOutput(command, flags);
  layers.forEach(check);

  const effective = new Map(layers.toReversed().map((one) => [one.name, one]));
  dropOthersOptions(command, effective);
  dropWeakerAlternatives(effective);
  const texts = Object.fromEntries([...effective].map(([name, { text }]) => [name, text]));
  const config = { ...options.parse(texts), origins: originsOf(effective) };
  const isAppCommand = APP_COMMANDS.some((name) => name === command);
  const reads = READERS.has(command) || (OPTIONAL_READERS.has(command) && config.source.length > 0);
  if (reads) checkSources(command, config);
  if (READERS.has(command) || isAppCommand) checkCredentials(config);
  if (command === 'run') checkServing(config);
  checkFiles(command, config, effective);
  return command === 'diff' ? { ...config, once: true, dryRun: true } : config;
}

/** The commands that read sources. */
const READERS: ReadonlySet<CommandName> = new Set(['run', 'diff', 'connection', 'relay']);
/** The commands that read sources if any are named, and do less without. */
const OPTIONAL_READERS: ReadonlySet<CommandName> = new Set(['why', 'support-bundle']);

function originsOf(effective: ReadonlyMap<OptionName, OptionText>): Config['origins'] {
  const origins = optionNames.map((name) => [name, effective.get(name)?.origin ?? 'default']);
  return Object.fromEntries(origins) as Config['origins'];
}

/** The value of one option. If it is not accepted, throws an error that names the place it came from. */
function check(option: OptionText): unknown {
  const { name, text } = option;
  const { data, error } = options.shape[name].safeParse(text);
  if (error === undefined) return data;
  const [issue] = error.issues;
  const at = typeof issue?.path[0] === 'number' ? issue.path[0] : 0;
  throw refusal(option, typeof text === 'string' ? text : (text[at] ?? ''), issue?.message);
}

/** The output formats of each command that has any, with its default first. */
export const OUTPUTS: Readonly<Partial<Record<CommandName, readonly Config['output'][]>>> = {
  run: ['text', 'json', 'ipvsadm'],
  diff: ['text', 'json', 'ipvsadm'],
  status: ['text', 'wide', 'json', 'yaml'],
  connection: ['json', 'text'],
  doctor: ['text', 'json', 'yaml'],
  why: ['text', 'json', 'yaml'],
  'app list': ['text', 'wide', 'json', 'yaml'],
  'app show': ['text', 'wide', 'json', 'yaml'],
  'app add': ['text', 'json', 'yaml'],
  'app update': ['text', 'json', 'yaml'],
  'app remove': ['text', 'json', 'yaml'],
  'pod add': ['text', 'json', 'yaml'],
};

/**
 * Drops options of a shared environment or file that only other commands can use: an output format that this command does not
 * have, a table to compare with if it does not compare, and a namespace if it works on the host.
 */
function dropOthersOptions(command: CommandName, effective: Map<OptionName, OptionText>): void {
  const output = effective.get('output');
  const formats: readonly unknown[] = OUTPUTS[command] ?? [];
  if (output !== undefined && output.origin !== 'flag' && !formats.includes(output.text))
    effective.delete('output');
  const compares = command === 'diff' || (command === 'run' && effective.get('dryRun')?.text === 'true');
  if (!compares && effective.get('against')?.origin !== 'flag') effective.delete('against');
  if (!describeOption('netns').commands.includes(command)) effective.delete('netns');
}

/** Drops the weaker of two alternative credentials: a token on the command line overrides user and password in a file. */
function dropWeakerAlternatives(effective: Map<OptionName, OptionText>): void {
  for (const pair of ALTERNATIVES) {
    const both = pair.map((name) => effective.get(name)).filter((one) => one !== undefined);
    const strongest = PRECEDENCE.find((origin) => both.some((one) => one.origin === origin));
    for (const { name, origin } of both) if (origin !== strongest) effective.delete(name);
  }
}

const PRECEDENCE: readonly OptionText['origin'][] = ['flag', 'environment', 'file'];

/** Checks the output format before its schema does, whose message would list the formats of all commands. */
function checkOutput(command: CommandName, flags: readonly OptionText[]): void {
  const accepted: readonly string[] | undefined = OUTPUTS[command];
  const option = flags.find(({ name }) => name === 'output');
  if (accepted === undefined || option === undefined || accepted.includes(String(option.text))) return;
  throw refusal(option, String(option.text), `expected one of ${accepted.join(', ')} with ${command}`);
}

/** Checks sources against each other and against the command. */
function checkSources(command: CommandName, config: Config): void {
  const names = config.source.map(sourceName);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (names.length === 0) {
    throw new ControllerError(
      'not-configured',
      '--source is missing, expected --source marathon=http://HOST:PORT, mesos=http://HOST:PORT, mesos-agent=http://HOST:PORT, kubernetes or file=PATH, or --config FILE with it (the packages have /etc/marathon-ipvs/config.yaml)',
      { retry: 'never' },
    );
  }
  if (twice !== undefined) {
    throw usage(
      `${optionAsWritten(config, 'source')}: "${printable(twice)}" is given twice, expected each source once`,
    );
  }
  if (command === 'relay' && config.source.some(({ kind }) => kind === 'kubernetes')) {
    throw usage(
      `${optionAsWritten(config, 'source')}: kubernetes is where relay writes, expected marathon=…, mesos=… or file=PATH`,
    );
  }
  if (config.against.kind !== 'kernel' && command !== 'diff' && !config.dryRun) {
    throw usage(
      `${optionAsWritten(config, 'against')} is given without --dry-run, expected kernel, since the kernel is to be written`,
    );
  }
}

function checkCredentials(config: Config): void {
  for (const [user, token] of ALTERNATIVES) {
    if (config[user] !== undefined && config[token] !== undefined) {
      throw usage(
        `${optionAsWritten(config, user)} and ${optionAsWritten(config, token)} are both given, expected one of them`,
      );
    }
  }
}

const ALTERNATIVES = [
  ['marathonUserFile', 'marathonTokenFile'],
  ['mesosUserFile', 'mesosTokenFile'],
] as const;
const CREDENTIALS = [...ALTERNATIVES.flat(), 'marathonCaFile', 'mesosCaFile', 'writeTokenFile'] as const;
/** Files of the server that `run` starts. */
const SERVER_FILES = ['tlsCertFile', 'tlsKeyFile', 'tlsClientCaFile', 'readTokenFile'] as const;
/** Files of the commands that connect to a controller. */
const CLIENT_FILES = ['serverTokenFile', 'serverCaFile', 'serverCertFile', 'serverKeyFile'] as const;

/** The files that the command cannot work without. */
function neededFiles(command: CommandName): readonly OptionName[] {
  if (APP_COMMANDS.some((name) => name === command)) return [...CREDENTIALS, ...CLIENT_FILES];
  if (command === 'run') return [...CREDENTIALS, ...SERVER_FILES];
  if (command === 'status' || command === 'doctor' || command === 'why') return CLIENT_FILES;
  return READERS.has(command) ? CREDENTIALS : [];
}

function checkFiles(
  command: CommandName,
  config: Config,
  options: ReadonlyMap<OptionName, OptionText>,
): void {
  const needed = neededFiles(command);
  for (const [name, one] of options) {
    const { file, commands } = describeOption(name);
    const isNeeded = needed.includes(name);
    if (file !== undefined && name !== 'config' && (isNeeded || commands.includes(command))) {
      checkFile(one, String(one.text), file, { needed: isNeeded });
    }
  }
  const against = options.get('against');
  if (against !== undefined && config.against.kind === 'file') {
    checkFile(against, config.against.path, 'read once', { needed: true });
  }
  const source = options.get('source');
  if (source === undefined || !READERS.has(command)) return;
  for (const one of config.source) if (one.kind === 'file') checkSourceFile(source, one.where);
}
