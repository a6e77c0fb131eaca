import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const kubeconfig = z.object({ contexts: z.array(z.object({ name: z.string() })) });

/**
 * Reads the names of the contexts in the files of `KUBECONFIG` or in `~/.kube/config`, without loading a Kubernetes client.
 * Rejects if a file cannot be read or has no contexts.
 */
export async function contextNames(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const paths = (environment['KUBECONFIG'] || join(homedir(), '.kube/config')).split(delimiter);
  const files = await Promise.all(paths.map(async (path) => parse(await readFile(path, 'utf8'))));
  const names = files.flatMap((file) => kubeconfig.parse(file).contexts.map(({ name }) => name));
  return [...new Set(names)].sort();
}
