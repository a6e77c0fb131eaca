import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { readSmallFile } from '../input/small-file.ts';
import { parseYaml } from '../input/yaml.ts';

const kubeconfig = z.object({ contexts: z.array(z.object({ name: z.string() })) });

/**
 * Reads the names of the contexts in the files of `KUBECONFIG` or in `~/.kube/config`, without loading a Kubernetes client.
 * Rejects if a file cannot be read or has no contexts.
 */
export async function contextNames(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const paths = (environment['KUBECONFIG'] || join(homedir(), '.kube/config')).split(delimiter);
  const files = await Promise.all(paths.map(async (path) => contextsIn(String(await readSmallFile(path)))));
  return [...new Set(files.flat())].sort();
}

/** Throws if the text is no kubeconfig. */
function contextsIn(text: string): readonly string[] {
  const { documents, mistake } = parseYaml(text, {});
  if (mistake !== null) throw new Error(mistake.message);
  return kubeconfig.parse(documents[0]?.toJS()).contexts.map(({ name }) => name);
}
