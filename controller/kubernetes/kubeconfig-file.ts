/** Kubeconfig files as they are written, before one of their contexts is selected. */

import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { hasCode, systemReason } from '../errors.ts';
import { required } from '../input/schema-messages.ts';
import { readSmallFile } from '../input/small-file.ts';
import { parseYaml } from '../input/yaml.ts';

const name = z.string().min(1);
const text = z.string().nullish();
const cluster = z.looseObject({
  server: name,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': z.boolean().nullish(),
  'proxy-url': text,
  'tls-server-name': text,
});
const user = z.looseObject({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  exec: z
    .looseObject({
      command: text,
      args: z.array(z.string()).nullish(),
      env: z.array(z.looseObject({ name, value: z.string() })).nullish(),
    })
    .nullish(),
  'auth-provider': z
    .looseObject({ name: text, config: z.record(z.string(), z.unknown()).nullish() })
    .nullish(),
});
const context = z.object({ cluster: name, user: text, namespace: text });
const schema = z.object({
  clusters: z.array(z.object({ name, cluster })).nullish(),
  users: z.array(z.object({ name, user: user.nullish() })).nullish(),
  contexts: z.array(z.object({ name, context })).nullish(),
  'current-context': text,
});

/** All that the names of contexts need. */
const namesSchema = z.object({ contexts: z.array(z.object({ name })) });

/** A kubeconfig file. Paths in it are relative to `directory`. */
export interface ConfigFile extends z.infer<typeof schema> {
  readonly directory: string;
}

/**
 * Reads the files that there are of these. Rejects if there is none, or one that cannot be used. No message has a value of a file,
 * since any may be a secret in the wrong place.
 */
export async function readConfigFiles(paths: readonly string[]): Promise<readonly ConfigFile[]> {
  return await readEach(paths, async (path) => ({
    ...required(schema, await parsed(path), 'a kubeconfig'),
    directory: resolve(dirname(path)),
  }));
}

/** Reads the names of the contexts alone, whatever else the files contain. Rejects if a file has no contexts, too. */
export async function readContextNames(paths: readonly string[]): Promise<readonly string[]> {
  const files = await readEach(paths, async (path) => namesSchema.parse(await parsed(path)));
  return files.flatMap(({ contexts }) => contexts.map((one) => one.name));
}

/** As kubectl does, files of a list that do not exist are passed over. */
async function readEach<File>(
  paths: readonly string[],
  readOne: (path: string) => Promise<File>,
): Promise<readonly File[]> {
  const several = paths.length > 1;
  const read = async (path: string) => {
    try {
      return await readOne(path);
    } catch (cause) {
      if (several && hasCode(cause, 'ENOENT')) return null;
      // The only one is named in front of the message.
      throw several ? new Error(`${path}: ${systemReason(cause)}`, { cause }) : cause;
    }
  };
  const files = (await Promise.all(paths.map(read))).filter((file) => file !== null);
  if (files.length === 0) throw new Error('none of these files exists');
  return files;
}

async function parsed(path: string): Promise<unknown> {
  const { documents, mistake } = parseYaml(String(await readSmallFile(path)), { merge: true });
  if (mistake !== null) throw new Error(`line ${mistake.line}: ${mistake.unquoted}`);
  try {
    const value: unknown = documents[0]?.toJS() ?? {};
    // An alias inside its own anchor would be a value without an end.
    JSON.stringify(value);
    return value;
  } catch {
    throw new Error('a YAML alias (*name) or merge key (<<) has nothing that it can stand for');
  }
}
