import { accessSync, constants } from 'node:fs';
import {
  type Environment,
  flagName,
  fromEnvironment,
  fromFile,
  type Given,
  type Origin,
  printable,
  refusal,
  systemReason,
  usage,
} from './given.ts';
import { APP_COMMANDS, type CommandName } from './option.ts';
import { type OptionName, type OptionValues, optionNames, options } from './options.ts';
import { checkServing } from './serving-rules.ts';
import { sourceName } from './values.ts';

/** The value of every option. A command ignores those that mean nothing to it. */
export interface Config extends OptionValues {
  /** Where each value came from: `--ledger` means more with `--against FILE` when someone gave it. */
  readonly origins: Readonly<Record<OptionName, Origin>>;
}

/**
 * Puts flags, environment, file (`--config`) and defaults together, the first that gives an option deciding, and
 * checks them. A bad value is refused also where a stronger one hides it: it would surface later.
 *
 * Throws a `ControllerError` with code `usage` and one line for the operator.
 */
export function resolveConfig(
  command: CommandName,
  flags: readonly Given[],
  environment: Environment,
): Config {
  const near = [...flags, ...fromEnvironment(environment)];
  const file = near.find(({ name }) => name === 'config');
  const path = file === undefined ? undefined : check(file);
  const given = typeof path === 'string' ? [...near, ...fromFile(path, file?.place ?? '')] : near;
  given.forEach(check);

  const deciding = new Map(given.toReversed().map((one) => [one.name, one]));
  const texts = Object.fromEntries([...deciding].map(([name, { text }]) => [name, text]));
  const config = { ...options.parse(texts), origins: originsOf(deciding) };
  checkOutput(command, config.output, deciding.get('output'));
  const speaks = APP_COMMANDS.some((name) => name === command);
  if (!READERS.has(command) && !speaks) return config;
  if (!speaks) checkSources(command, config);
  checkCredentials(config);
  if (command === 'run') checkServing(config);
  const more = command === 'run' ? SERVED : speaks ? SHOWN : [];
  for (const name of [...CREDENTIALS, ...more]) checkReadable(deciding.get(name));
  return command === 'diff' ? { ...config, once: true, dryRun: true } : config;
}

/** The commands that read sources. */
const READERS: ReadonlySet<CommandName> = new Set(['run', 'diff', 'connection', 'relay']);

function originsOf(deciding: ReadonlyMap<OptionName, Given>): Config['origins'] {
  const origins = optionNames.map((name) => [name, deciding.get(name)?.origin ?? 'default']);
  return Object.fromEntries(origins) as Config['origins'];
}

/** The value of one option; throws with where it was given when it is not accepted. */
function check(given: Given): unknown {
  const { name, text } = given;
  const { data, error } = options.shape[name].safeParse(text);
  if (error === undefined) return data;
  const [issue] = error.issues;
  const at = typeof issue?.path[0] === 'number' ? issue.path[0] : 0;
  throw refusal(given, typeof text === 'string' ? text : (text[at] ?? ''), issue?.message);
}

/** The forms of output of each command that has any. */
export const OUTPUTS: Readonly<Partial<Record<CommandName, readonly Config['output'][]>>> = {
  run: ['text', 'json', 'ipvsadm'],
  diff: ['text', 'json', 'ipvsadm'],
  status: ['text', 'wide', 'json', 'yaml'],
  connection: ['json', 'text'],
  doctor: ['text', 'json', 'yaml'],
  'app list': ['text', 'wide', 'json', 'yaml'],
  'app show': ['text', 'wide', 'json', 'yaml'],
  'app add': ['text', 'json', 'yaml'],
  'app update': ['text', 'json', 'yaml'],
  'app remove': ['text', 'json', 'yaml'],
  'pod add': ['text', 'json', 'yaml'],
};

function checkOutput(command: CommandName, output: Config['output'], given: Given | undefined): void {
  const accepted = OUTPUTS[command];
  if (accepted === undefined || given === undefined || accepted.includes(output)) return;
  throw refusal(given, output, `expected one of ${accepted.join(', ')} with ${command}`);
}

/** What no option can tell by itself. */
function checkSources(command: CommandName, config: Config): void {
  const names = config.source.map(sourceName);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (names.length === 0) {
    throw usage(
      '--source is missing, expected --source marathon=http://HOST:PORT, mesos=http://HOST:PORT or file=PATH',
    );
  }
  if (twice !== undefined) {
    throw usage(`--source: "${printable(twice)}" is given twice, expected each source once`);
  }
  if (command === 'relay' && config.source.some(({ kind }) => kind === 'kubernetes')) {
    throw usage('--source: kubernetes is where relay writes, expected marathon=…, mesos=… or file=PATH');
  }
  if (config.against.kind !== 'kernel' && command !== 'diff' && !config.dryRun) {
    throw usage('--against is given without --dry-run, expected kernel where the kernel is to be written');
  }
}

function checkCredentials(config: Config): void {
  for (const [user, token] of EITHER) {
    if (config[user] !== undefined && config[token] !== undefined) {
      throw usage(`${flagName(user)} and ${flagName(token)} are both given, expected one of them`);
    }
  }
}

const EITHER = [
  ['marathonUserFile', 'marathonTokenFile'],
  ['mesosUserFile', 'mesosTokenFile'],
] as const;
const CREDENTIALS = [...EITHER.flat(), 'marathonCaFile', 'mesosCaFile', 'writeTokenFile'] as const;
/** What `run` guards its own address with. */
const SERVED = ['tlsCertFile', 'tlsKeyFile', 'tlsClientCaFile', 'readTokenFile'] as const;
/** What a command shows the controller of this host. */
const SHOWN = ['serverTokenFile', 'serverCaFile', 'serverCertFile', 'serverKeyFile'] as const;

/** A file that is missing at the start is a mistake; later its owner may be renewing it, and it is tried again. */
function checkReadable(given: Given | undefined): void {
  if (given === undefined) return;
  const path = String(given.text);
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw refusal(given, path, `it cannot be read: ${systemReason(cause)}`);
  }
}
