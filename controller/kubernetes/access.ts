import { existsSync } from 'node:fs';
import type { KubeConfig, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { ControllerError, systemReason } from '../errors.ts';

/** The address of an API server and the credentials for it. */
export interface Access {
  /** `https://10.96.0.1:443`, without a trailing slash. */
  readonly server: string;
  /** Namespace of the context, or of the pod that this process runs in. Defaults to `default`. */
  readonly namespace: string;
  /**
   * Returns the headers and connections for one request. Set `renew` after the server refused the credentials or could not be
   * reached: whatever may have changed on disk, such as a certificate, is then read again.
   */
  authorize(renew: boolean): Promise<Authorization>;
}

export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  /** undefined for the default dispatcher of the process. */
  readonly dispatcher: Dispatcher | undefined;
}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Reads the files of `KUBECONFIG` or `~/.kube/config`, or uses the pod's service account. `context` selects one of the file's
 * contexts. Rejects (code `usage`) if there is no configuration, or no such context.
 *
 * Uses client-node only for configuration and credentials (exec plugins, renewed token files, OIDC, proxies). Its generated API
 * classes convert every object field by field and do not limit the size of an answer.
 */
export async function openAccess(context: string | null): Promise<Access> {
  // Loading it takes half a second and 60 MB, so only if Kubernetes is used.
  const { HttpMethod, KubeConfig, RequestContext } = await import('./client-node.ts');
  const config = new KubeConfig();
  load(config, context);
  const server = config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? '';
  return createAccess(config, server, () => new RequestContext(server, HttpMethod.GET));
}

function createAccess(config: KubeConfig, server: string, createContext: () => RequestContext): Access {
  let dispatcher: Dispatcher | undefined;
  let known = false;
  /** The renewal in progress, shared by concurrent requests: otherwise one would close the dispatcher that another just got. */
  let renewing: Promise<Authorization> | null = null;

  async function credentials(): Promise<RequestContext> {
    const context = createContext();
    try {
      await config.applySecurityAuthentication(context);
    } catch (cause) {
      throw new ControllerError('source', `cannot get credentials for ${server}`, { cause });
    }
    return context;
  }

  async function renewed(): Promise<Authorization> {
    const context = await credentials();
    const replaced = dispatcher;
    dispatcher = context.getDispatcher() as Dispatcher | undefined;
    known = true;
    // On the next tick: requests that got it in this turn must have started.
    if (replaced !== undefined) setImmediate(() => void replaced.close().catch(() => undefined));
    return { headers: context.getHeaders(), dispatcher };
  }

  return {
    server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace || 'default',
    async authorize(renew) {
      // client-node creates an agent for each request, whose connections would never be reused.
      if (known && !renew) return { headers: (await credentials()).getHeaders(), dispatcher };
      renewing ??= renewed().finally(() => {
        renewing = null;
      });
      return await renewing;
    },
  };
}

function load(config: KubeConfig, context: string | null): void {
  const files = process.env['KUBECONFIG'];
  const inPod = !files && existsSync(TOKEN) && process.env['KUBERNETES_SERVICE_HOST'] !== undefined;
  const what = files ? `KUBECONFIG ${files}` : inPod ? `service account ${TOKEN}` : '~/.kube/config';
  try {
    if (inPod && context === null) config.loadFromCluster();
    else config.loadFromDefault();
  } catch (cause) {
    const message = `${what} cannot be used: ${systemReason(cause)}`;
    throw new ControllerError('usage', message, { cause, retry: 'never' });
  }
  if (context !== null) {
    if (config.getContextObject(context) === null) {
      const known = config.getContexts().map(({ name }) => name);
      const expected = known.length === 0 ? 'it has none' : `expected one of ${known.join(', ')}`;
      throw new ControllerError('usage', `${what} has no context ${context}: ${expected}`, {
        retry: 'never',
      });
    }
    config.setCurrentContext(context);
  }
  // Without a configuration client-node falls back to http://localhost:8080, which no API server has served for years.
  const nothing = config.getCurrentContext() === 'loaded-context' && !files;
  if (nothing || config.getCurrentCluster() === null) {
    const message = `${what} names no cluster: set KUBECONFIG, or run in a pod with a service account`;
    throw new ControllerError('usage', message, { retry: 'never' });
  }
}
