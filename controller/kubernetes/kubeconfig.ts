import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { ControllerError, systemReason } from '../errors.ts';
import { parseUrl } from '../input/host-name.ts';
import { readSmallFile } from '../input/small-file.ts';
import { type ConfigFile, readConfigFiles, readContextNames } from './kubeconfig-file.ts';

/** One context of a kubeconfig, with the contents of the files that it names. */
export interface Kubeconfig {
  /** A kubeconfig of this context alone, as JSON: the same text as long as no file has changed. */
  readonly text: string;
  /** Who talks to which server, by name: stays when only a token or a certificate is replaced. */
  readonly contextKey: string;
  /** The names of the context and of its user, for messages; null for a context without a user. */
  readonly context: string;
  readonly user: string | null;
  /** `https://10.96.0.1:443`, without a trailing slash. */
  readonly server: string;
  /** Of the context, or of the pod. Defaults to `default`. */
  readonly namespace: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

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
  return [...new Set(await readContextNames(pathsIn(environment)))].sort();
}

/** Which configuration is used, and how to read it. */
function configured(context: string | null, environment: Environment) {
  const given = environment['KUBECONFIG'];
  const inPod = environment['KUBERNETES_SERVICE_HOST'] !== undefined && existsSync(join(POD, 'token'));
  const paths = pathsIn(environment);
  if (!given && inPod && (context === null || !paths.every(existsSync)))
    return { what: `service account ${POD}`, read: async () => [await podConfig(environment)] };
  const what = given ? `KUBECONFIG ${given}` : '~/.kube/config';
  if (given || paths.every(existsSync)) return { what, read: () => readConfigFiles(paths) };
  const message = `${what} names no cluster: set KUBECONFIG, or run in a pod with a service account`;
  throw new ControllerError('usage', message, { retry: 'never' });
}

function pathsIn(environment: Environment): readonly string[] {
  const given = environment['KUBECONFIG'];
  return given ? given.split(delimiter).filter(Boolean) : [join(homedir(), '.kube/config')];
}

/** What a pod knows of its cluster, in the form of a kubeconfig. */
async function podConfig(environment: Environment): Promise<ConfigFile> {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443';
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const namespace = existsSync(join(POD, 'namespace'))
    ? String(await readSmallFile(join(POD, 'namespace'))).trim()
    : null;
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
  checkProxy(cluster, current);
  const clusters = [{ name: cluster.name, cluster: await clusterWithFiles(cluster) }];
  if (user !== undefined) checkMethods(user, current);
  const users = user === undefined ? [] : [{ name: user.name, user: await userWithFiles(user, current) }];
  const contexts = [{ name: current, context }];
  return {
    text: JSON.stringify({ clusters, users, contexts, 'current-context': current }),
    contextKey: JSON.stringify([server, current, context.user ?? null]),
    context: current,
    user: context.user || null,
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

/** Throws if client-node could not use the proxy, and does not quote its URL, since it may have a password. */
function checkProxy({ name, cluster }: Entry<'clusters'>, context: string): void {
  const url = cluster['proxy-url'];
  if (!url || (/^(?:https?|socks(?:4a?|5h?)?):\/\/[^\s\\]+$/i.test(url) && parseUrl(url) !== null)) return;
  throw new Error(
    `proxy-url of cluster ${name} in context ${context}: expected an http, https or socks5 URL, like http://10.0.0.1:3128`,
  );
}

/** The providers that client-node knows by name. */
const PROVIDERS: readonly string[] = ['azure', 'gcp', 'oidc'];

/** Throws if client-node would ask without credentials, since it does not know or cannot use the method that the user has. */
function checkMethods({ name, user }: Entry<'users'>, context: string): void {
  const at = (field: string) => `${field} of user ${name} in context ${context}`;
  const { exec, 'auth-provider': provider } = user ?? {};
  if (exec && !exec.command) throw new Error(`${at('exec.command')} is missing`);
  if (!provider || exec || provider.config?.['exec'] || provider.config?.['tokenFile']) return;
  if (!PROVIDERS.includes(provider.name ?? ''))
    throw new Error(
      `${at('auth-provider.name')}: expected one of ${PROVIDERS.join(', ')}; others are used by exec plugins`,
    );
  if (!provider.config) throw new Error(`${at('auth-provider.config')} is missing`);
}

async function clusterWithFiles({ cluster, directory }: Entry<'clusters'>): Promise<object> {
  const { 'certificate-authority': ca, ...rest } = cluster;
  if (!ca) return rest;
  const path = resolve(directory, ca);
  const bytes = await readSmallFile(path).catch((cause: unknown) => {
    throw new Error(`${path}: ${systemReason(cause)}`);
  });
  return { 'certificate-authority-data': bytes.toString('base64'), ...rest };
}

async function userWithFiles({ name, user, directory }: Entry<'users'>, context: string): Promise<object> {
  const { 'client-certificate': certificate, 'client-key': key, tokenFile, ...rest } = user ?? {};
  const bytesOf = async (field: string, file: string) => {
    const path = resolve(directory, file);
    return await readSmallFile(path).catch((cause: unknown) => {
      // Where nothing is, it may be a key or a token instead of its path.
      if (existsSync(path)) throw new Error(`${path}: ${systemReason(cause)}`);
      throw new Error(`${field} of user ${name} in context ${context} names no file that can be found`);
    });
  };
  const dataOf = async (field: string, file: string | null | undefined) =>
    file ? { [`${field}-data`]: (await bytesOf(field, file)).toString('base64') } : {};
  return {
    ...(await dataOf('client-certificate', certificate)),
    ...(await dataOf('client-key', key)),
    ...rest,
    ...(tokenFile && { token: String(await bytesOf('tokenFile', tokenFile)).trim() }),
  };
}
