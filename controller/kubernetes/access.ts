import type { KubeConfig, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { ControllerError, messageOf } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { systemClock } from '../time.ts';
import { credentialsFailure, unfitHeader } from './credentials-failure.ts';
import { type Kubeconfig, readKubeconfig } from './kubeconfig.ts';

/** The address of an API server and the credentials for it, as the files have them: they are read again every five seconds. */
export interface Access {
  /** `https://10.96.0.1:443`, without a trailing slash; another one once the kubeconfig names another. */
  readonly server: string;
  /** Namespace of the context, or of the pod that this process runs in, at the start. Defaults to `default`. */
  readonly namespace: string;
  /** Returns what one request needs. `last`: how the one before ended, if it did not succeed. */
  authorize(last: Setback | null): Promise<Authorization>;
  /** Resolves with the `contextKey` of the authorizations from now on. Reads the files if that is due; never rejects. */
  contextKey(): Promise<string>;
}

/** `unreachable`: the connections are made anew. `refused` (401): credentials are obtained anew too. */
export type Setback = 'unreachable' | 'refused';

export interface Authorization {
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  /** undefined for the default dispatcher of the process. */
  readonly dispatcher: Dispatcher | undefined;
  /** Who talks to which server: stays when only a token or a certificate is replaced. */
  readonly contextKey: string;
}

/** How often the files may be read. Twice as often as what changes is promised to count. */
export const RECHECK_MS = 5_000;

export interface AccessOptions {
  readonly clock?: Clock | undefined;
  /** Where changed files are reported. Defaults to nowhere. */
  readonly log?: Log | undefined;
}

/**
 * Opens the access that the kubeconfig files or the pod's service account give. `context` selects one of the file's contexts;
 * null for the current one. Rejects (code `usage`) if there is no configuration, or one that cannot be used.
 *
 * Uses client-node only for credentials and connections (exec plugins, OIDC, proxies), and reads the files itself: client-node
 * reads them once, or with each request while it blocks the process. Its generated API classes convert every object field by
 * field and do not limit the size of an answer.
 */
export async function openAccess(context: string | null, options: AccessOptions = {}): Promise<Access> {
  const first = await readKubeconfig(context);
  // Loading it takes half a second and 60 MB, so only if Kubernetes is used.
  const { HttpMethod, KubeConfig, RequestContext } = await import('./client-node.ts');
  const tools = {
    load: ({ text }: Kubeconfig) => {
      const config = new KubeConfig();
      config.loadFromString(text);
      return config;
    },
    createContext: (server: string) => new RequestContext(server, HttpMethod.GET),
  };
  const { clock = systemClock, log } = options;
  return new FileAccess(context, first, tools, clock, log);
}

interface ClientNode {
  load(file: Kubeconfig): KubeConfig;
  createContext(server: string): RequestContext;
}

class FileAccess implements Access {
  readonly namespace: string;
  readonly #context: string | null;
  readonly #clientNode: ClientNode;
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  #file: Kubeconfig;
  #config: KubeConfig;
  #readAt: number;
  /** Why the files' present contents are not used. */
  #warned: string | null = null;
  #dispatcher: Dispatcher | undefined;
  #connects = false;
  /** The renewal in progress, shared by concurrent requests: otherwise one would close the dispatcher that another just got. */
  #renewing: Promise<Authorization> | null = null;

  constructor(
    context: string | null,
    file: Kubeconfig,
    clientNode: ClientNode,
    clock: Clock,
    log: Log | undefined,
  ) {
    this.#context = context;
    this.#clientNode = clientNode;
    this.#clock = clock;
    this.#log = log;
    this.#file = file;
    this.#config = this.#clientNode.load(file);
    this.#readAt = clock.monotonic();
    this.namespace = file.namespace;
  }

  get server(): string {
    return this.#file.server;
  }

  async contextKey(): Promise<string> {
    await this.#reread(false);
    return this.#file.contextKey;
  }

  async authorize(last: Setback | null): Promise<Authorization> {
    if (this.#renewing === null && this.#connects && last === null && !(await this.#reread(false))) {
      const { server, contextKey } = this.#file;
      // client-node creates an agent for each request, whose connections would never be reused.
      const dispatcher = this.#dispatcher;
      return { server, contextKey, headers: (await this.#credentials()).getHeaders(), dispatcher };
    }
    this.#renewing ??= this.#renewed(last).finally(() => {
      this.#renewing = null;
    });
    return await this.#renewing;
  }

  async #renewed(last: Setback | null): Promise<Authorization> {
    const isSame = last !== null && !(await this.#reread(true));
    // It keeps the token of a plugin until the end that the plugin gave it, whatever the server says.
    if (isSame && last === 'refused') this.#config = this.#clientNode.load(this.#file);
    const { server, contextKey } = this.#file;
    const context = await this.#credentials();
    const replaced = this.#dispatcher;
    this.#dispatcher = context.getDispatcher() as Dispatcher | undefined;
    this.#connects = true;
    // On the next tick: requests that got it in this turn must have started.
    if (replaced !== undefined) setImmediate(() => void replaced.close().catch(() => undefined));
    return { server, contextKey, headers: context.getHeaders(), dispatcher: this.#dispatcher };
  }

  async #credentials(): Promise<RequestContext> {
    const { server } = this.#file;
    const context = this.#clientNode.createContext(server);
    try {
      await this.#config.applySecurityAuthentication(context);
    } catch (cause) {
      throw new ControllerError('source', credentialsFailure(this.#file, cause));
    }
    for (const [name, value] of Object.entries(context.getHeaders())) {
      // The error of whoever sends it would quote it.
      if (!/^[\t -~\x80-\xff]*$/.test(value))
        throw new ControllerError('source', unfitHeader(this.#file, name));
    }
    return context;
  }

  /** Reads the files, if that is due or `now`. Resolves with whether they have changed. What cannot be used changes nothing. */
  async #reread(now: boolean): Promise<boolean> {
    const time = this.#clock.monotonic();
    if (!now && time - this.#readAt < RECHECK_MS) return false;
    this.#readAt = time;
    try {
      const file = await readKubeconfig(this.#context);
      this.#warned = null;
      if (file.text === this.#file.text) return false;
      this.#config = this.#clientNode.load(file);
      this.#file = file;
      // Whoever is next makes connections with what they contain.
      this.#connects = false;
      this.#log?.info('changed files of Kubernetes are used', { server: file.server });
      return true;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== this.#warned)
        this.#log?.warn('changed files of Kubernetes cannot be used, the previous contents stay in use', {
          reason,
        });
      this.#warned = reason;
      return false;
    }
  }
}
