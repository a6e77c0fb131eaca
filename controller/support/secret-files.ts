import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isScalar, parseDocument, visit } from 'yaml';
import type { Config } from '../config/config.ts';
import type { OptionName } from '../config/options.ts';
import { isSecretName } from './free-text.ts';
import { secretsIn } from './known-secrets.ts';

/** Options that name a file with a token, or with user and password. */
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
/** A shorter line of a key is its end, which may be part of any word. */
const SHORTEST_KEY_LINE = 16;

/**
 * The secrets of this host that the program works with: in the files that options name, and in what leads to a Kubernetes
 * cluster. Of a file that cannot be read here nothing is known.
 */
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
  return await Promise.all(named.map(async (path) => await readFile(path, 'utf8').catch(() => '')));
}

function linesOfKey(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line.length >= SHORTEST_KEY_LINE && !line.startsWith('-----'));
}

/** What the fields of a kubeconfig file hold that are secrets by their names. */
function secretFields(text: string): readonly string[] {
  const found: string[] = [];
  visit(parseDocument(text, { schema: 'failsafe', prettyErrors: false }), {
    Pair(_, { key, value }) {
      if (isScalar(key) && isScalar(value) && isSecretName(String(key.value)))
        found.push(String(value.value));
    },
  });
  return found;
}
