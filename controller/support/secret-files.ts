import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isScalar, visit } from 'yaml';
import type { Config } from '../config/config.ts';
import type { OptionName } from '../config/options.ts';
import { readSmallFile } from '../input/small-file.ts';
import { parseYaml } from '../input/yaml.ts';
import { isSecretName } from './free-text.ts';
import { secretsIn } from './known-secrets.ts';

/** Options that name a file with a token, or with a user and password. */
const TOKENS = [
  'marathonUserFile',
  'marathonTokenFile',
  'mesosUserFile',
  'mesosTokenFile',
  'readTokenFile',
  'writeTokenFile',
  'serverTokenFile',
] as const satisfies readonly OptionName[];
const KEYS = ['tlsKeyFile', 'serverKeyFile'] as const satisfies readonly OptionName[];
const POD_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** A shorter line is the last of a key, and may be part of any word. */
const MIN_KEY_LINE = 16;

/** Reads the secrets that the program uses: those in files that options name, and those of kubeconfig files. Skips unreadable files. */
export async function knownSecrets(
  config: Pick<Config, (typeof TOKENS | typeof KEYS)[number]>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<readonly string[]> {
  const kubeconfigs = environment['KUBECONFIG']?.split(delimiter) ?? [join(homedir(), '.kube/config')];
  const [tokens, keys, contexts] = await Promise.all([
    textsOf([...TOKENS.map((name) => config[name]), POD_TOKEN]),
    textsOf(KEYS.map((name) => config[name])),
    textsOf(kubeconfigs),
  ]);
  return [...tokens.flatMap(secretsIn), ...keys.flatMap(linesOfKey), ...contexts.flatMap(secretFields)];
}

async function textsOf(paths: readonly (string | undefined)[]): Promise<readonly string[]> {
  const named = paths.filter((path) => path !== undefined && path !== '') as readonly string[];
  return await Promise.all(named.map(async (path) => String(await readSmallFile(path).catch(() => ''))));
}

function linesOfKey(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line.length >= MIN_KEY_LINE && !line.startsWith('-----'));
}

/** The values of kubeconfig fields whose names say that they are secret, as far as the file can be read. */
function secretFields(text: string): readonly string[] {
  const found: string[] = [];
  for (const document of parseYaml(text, { schema: 'failsafe' }).documents)
    visit(document, {
      Pair(_, { key, value }) {
        if (isScalar(key) && isScalar(value) && isSecretName(String(key.value)))
          found.push(String(value.value));
      },
    });
  return found;
}
