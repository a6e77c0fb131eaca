import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ControllerError, systemReason } from '../errors.ts';
import { parseUrl } from '../input/host-name.ts';
import { required } from '../input/schema-messages.ts';
import { readSmallFile } from '../input/small-file.ts';
import { parseYaml } from '../input/yaml.ts';

/** One context of a kubeconfig, with the contents of the files that it names. */
export interface Kubeconfig {
  /** A kubeconfig of this context alone, as JSON: the same text as long as no file has changed. */
  readonly text: string;
  /** Who talks to which server, by name: stays when only a token or a certificate is replaced. */
  readonly contextKey: string;
  /** `https://10.96.0.1:443`, without a trailing slash. */
  readonly server: string;
  /** Of the context, or of the pod. Defaults to `default`. */
  readonly namespace: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const name = z.string().min(1);
const path = z.string().nullish();
const schema = z.object({
  clusters: z
    .array(z.object({ name, cluster: z.looseObject({ server: name, 'certificate-authority': path }) }))
    .nullish(),
  users: z
    .array(
      z.object({
        name,
        user: z.looseObject({ 'client-certificate': path, 'client-key': path, tokenFile: path }).nullish(),
      }),
    )
    .nullish(),
  contexts: z
    .array(
      z.object({
        name,
        context: z.object({ cluster: name, user: z.string().nullish(), namespace: z.string().nullish() }),
      }),
    )
    .nullish(),
  'current-context': z.string().nullish(),
});

/** All that the names of contexts need. */
const namesSchema = z.object({ contexts: z.array(z.object({ name })) });

/** A kubeconfig file. Paths in it are relative to `directory`. */
interface ConfigFile extends z.infer<typeof schema> {
  readonly directory: string;
}

const POD = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Reads the files of `KUBECONFIG`, `~/.kube/config`, or the files of the pod's service account. `context` selects one of the
 * contexts; null for the current one. As for kubectl, the first entry of a name counts, and contents in the kubeconfig itself
 * count more than a file that it names.
 *
 * Rejects with a `ControllerError` (code `usage`) if there is no configuration, no such context, or a file that cannot be used.
 */
export async function readKubeconfig(
  context: string | null,
  environment: Environment = process.env,
): Promise<Kubeconfig> {
  const { what, read } = configured(context, environment);
  try {
    return await selected(await read(), context);
  } catch (cause) {
    const message = `${what} cannot be used: ${systemReason(cause)}`;
    throw new ControllerError('usage', message, { cause, retry: 'never' });
  }
}

/**
 * Reads the names of the contexts in the files of `KUBECONFIG` or in `~/.kube/config`, whatever else they contain. Rejects if a
 * file cannot be read or has no contexts.
 */
export async function contextNames(environment: Environment): Promise<readonly string[]> {
  const files = await Promise.all(pathsIn(environment).map(parsed));
  const names = files.flatMap((file) => namesSchema.parse(file).contexts.map((context) => context.name));
  return [...new Set(names)].sort();
}

/** Which configuration is used, and how to read it. */
function configured(context: string | null, environment: Environment) {
  const given = environment['KUBECONFIG'];
  const inPod = environment['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(join(POD, 'token'));
  const paths = pathsIn(environment);
  if (!given && inPod && (context === null || !paths.every(existsSync)))
    return { what: `service account ${POD}`, read: async () => [await podConfig(environment)] };
  const what = given ? `KUBECONFIG ${given}` : '~/.kube/config';
  if (given || paths.every(existsSync)) return { what, read: () => readFiles(paths) };
  const message = `${what} names no cluster: set KUBECONFIG, or run in a pod with a service account`;
  throw new ControllerError('usage', message, { retry: 'never' });
}

function pathsIn(environment: Environment): readonly string[] {
  const given = environment['KUBECONFIG'];
  return given ? given.split(delimiter).filter(Boolean) : [join(homedir(), '.kube/config')];
}

async function readFiles(paths: readonly string[]): Promise<readonly ConfigFile[]> {
  const read = async (file: string) => {
    try {
      return await readFile(file);
    } catch (cause) {
      // The only one is named in front of the message.
      throw paths.length === 1 ? cause : new Error(`${file}: ${systemReason(cause)}`, { cause });
    }
  };
  return await Promise.all(paths.map(read));
}

async function readFile(file: string): Promise<ConfigFile> {
  return { ...required(schema, await parsed(file), 'a kubeconfig'), directory: resolve(dirname(file)) };
}

async function parsed(file: string): Promise<unknown> {
  const { documents, mistake } = parseYaml(String(await readSmallFile(file)), { merge: true });
  if (mistake !== null) throw new Error(`line ${mistake.line}: ${mistake.message}`);
  return documents[0]?.toJS() ?? {};
}

/** What a pod knows of its cluster, in the form of a kubeconfig. */
async function podConfig(environment: Environment): Promise<ConfigFile> {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443';
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const namespace = existsSync(join(POD, 'namespace')) ? (await textOf(join(POD, 'namespace'))).trim() : null;
  const [cluster, user] = ['in-cluster', 'service-account'];
  return {
    directory: POD,
    clusters: [{ name: cluster, cluster: { server, 'certificate-authority': 'ca.crt' } }],
    users: [{ name: user, user: { tokenFile: 'token' } }],
    contexts: [{ name: cluster, context: { cluster, user, namespace } }],
    'current-context': cluster,
  };
}

async function selected(files: readonly ConfigFile[], wanted: string | null): Promise<Kubeconfig> {
  const all = files.flatMap(({ contexts }) => contexts ?? []);
  const current = wanted ?? files.map((file) => file['current-context']).find(Boolean) ?? null;
  if (current === null) throw new Error('it names no cluster: current-context is not set');
  const context = all.find((one) => one.name === current)?.context;
  if (context === undefined) {
    const known =
      all.length === 0 ? 'it has none' : `expected one of ${all.map((one) => one.name).join(', ')}`;
    throw new Error(`no context ${current}: ${known}`);
  }
  const lacks = (kind: string, which: string) =>
    new Error(`context ${current} names ${kind} ${which}, which it does not have`);
  const clusterOf = files.flatMap(({ clusters, directory }) =>
    (clusters ?? []).map((one) => ({ ...one, directory })),
  );
  const cluster = clusterOf.find((one) => one.name === context.cluster);
  if (cluster === undefined) throw lacks('cluster', context.cluster);
  const userOf = files.flatMap(({ users, directory }) => (users ?? []).map((one) => ({ ...one, directory })));
  const user = userOf.find((one) => one.name === context.user);
  if (context.user && user === undefined) throw lacks('user', context.user);
  const server = serverOf(cluster);
  const clusters = [{ name: cluster.name, cluster: await clusterWithFiles(cluster) }];
  const users = user === undefined ? [] : [{ name: user.name, user: await userWithFiles(user) }];
  const contexts = [{ name: current, context }];
  return {
    text: JSON.stringify({ clusters, users, contexts, 'current-context': current }),
    contextKey: JSON.stringify([server, current, context.user ?? null]),
    server,
    namespace: context.namespace || 'default',
  };
}

type Entry<Kind extends 'clusters' | 'users'> = NonNullable<ConfigFile[Kind]>[number] &
  Pick<ConfigFile, 'directory'>;

/**
 * The base URL of the cluster's API server, without a trailing slash. Throws if it cannot be used, and does not quote it, since it
 * may have a password.
 */
function serverOf({ name, cluster: { server } }: Entry<'clusters'>): string {
  const url = /^https?:\/\/[^\s?#\\]+$/i.test(server) ? parseUrl(server) : null;
  if (url === null || url.username + url.password !== '')
    throw new Error(
      `server of cluster ${name}: expected an http or https URL without user name, password and query, like https://10.0.0.1:6443`,
    );
  return server.replace(/\/+$/, '');
}

async function clusterWithFiles({ cluster, directory }: Entry<'clusters'>): Promise<object> {
  const { 'certificate-authority': ca, ...rest } = cluster;
  return { ...(await dataOf('certificate-authority', ca, directory)), ...rest };
}

async function userWithFiles({ user, directory }: Entry<'users'>): Promise<object> {
  const { 'client-certificate': certificate, 'client-key': key, tokenFile, ...rest } = user ?? {};
  return {
    ...(await dataOf('client-certificate', certificate, directory)),
    ...(await dataOf('client-key', key, directory)),
    ...rest,
    ...(tokenFile && { token: (await textOf(resolve(directory, tokenFile))).trim() }),
  };
}

/** A field with the contents of a file instead of its path. */
async function dataOf(field: string, file: string | null | undefined, directory: string): Promise<object> {
  if (!file) return {};
  return { [`${field}-data`]: (await bytesOf(resolve(directory, file))).toString('base64') };
}

async function textOf(file: string): Promise<string> {
  return (await bytesOf(file)).toString('utf8');
}

async function bytesOf(file: string): Promise<Buffer> {
  return await readSmallFile(file).catch((cause: unknown) => {
    throw new Error(`${file}: ${systemReason(cause)}`);
  });
}
