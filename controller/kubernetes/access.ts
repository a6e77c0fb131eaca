import { existsSync } from 'node:fs';
import type { KubeConfig, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { ControllerError, systemReason } from '../errors.ts';

/** How an API server is reached. */
export interface Access {
  /** `https://10.96.0.1:443`, without a slash at its end. */
  readonly server: string;
  /** Namespace of the context, or of the pod that we run in; `default` where neither names one. */
  readonly namespace: string;
  /**
   * Headers of one request, and the connections to make it over. `renew`: the server refused us, or could not be
   * reached; what may have changed on disk since (a certificate) is read again.
   */
  authorize(renew: boolean): Promise<Authorization>;
}

export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: the default one of the process. */
  readonly dispatcher: Dispatcher | undefined;
}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Reads the file or files of `KUBECONFIG` or `~/.kube/config`, or takes the pod's own service account. `context`
 * chooses one of the file's contexts. Rejects (code `usage`) when there is none of these, or no such context.
 *
 * Only the configuration and the credentials come from client-node (exec plugins, token files that are renewed,
 * OIDC, proxies). Its generated API classes are not used: they convert every object field by field, and have no
 * limit for what an answer may hold.
 */
export async function openAccess(context: string | null): Promise<Access> {
  // Half a second and 60 MB: only for those who talk to Kubernetes.
  const { HttpMethod, KubeConfig, RequestContext } = await import('./client-node.ts');
  const config = new KubeConfig();
  load(config, context);
  const server = config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? '';
  return createAccess(config, server, () => new RequestContext(server, HttpMethod.GET));
}

function createAccess(config: KubeConfig, server: string, createContext: () => RequestContext): Access {
  let dispatcher: Dispatcher | undefined;
  let known = false;
  /** The renewal that is under way: who asks meanwhile gets the same, or one would close what another was just given. */
  let renewing: Promise<Authorization> | null = null;

  async function credentials(): Promise<RequestContext> {
    const context = createContext();
    try {
      await config.applySecurityAuthentication(context);
    } catch (cause) {
      throw new ControllerError('source', `credentials for ${server} cannot be had`, { cause });
    }
    return context;
  }

  async function renewed(): Promise<Authorization> {
    const context = await credentials();
    const replaced = dispatcher;
    dispatcher = context.getDispatcher() as Dispatcher | undefined;
    known = true;
    // Not before those who were given it in this turn have begun their requests, which then end as they may.
    if (replaced !== undefined) setImmediate(() => void replaced.close().catch(() => undefined));
    return { headers: context.getHeaders(), dispatcher };
  }

  return {
    server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace || 'default',
    async authorize(renew) {
      // client-node makes an agent for each request, whose connections would never be used again.
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
  // Where client-node finds nothing it takes http://localhost:8080, which no API server has served for years.
  const nothing = config.getCurrentContext() === 'loaded-context' && !files;
  if (nothing || config.getCurrentCluster() === null) {
    const message = `${what} names no cluster: set KUBECONFIG, or run in a pod with a service account`;
    throw new ControllerError('usage', message, { retry: 'never' });
  }
}
