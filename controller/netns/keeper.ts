import type { Followers } from '../loop/followers.ts';
import { createPassLog } from '../loop/pass-log.ts';
import type { Turns } from '../loop/turns.ts';
import type { PassStatus } from '../pass-status.ts';
import type { Clock, Ledger, Log } from '../ports.ts';
import type { Namespace } from './namespaces.ts';
import type { RemoteNamespace } from './remote.ts';
import type { NamespaceReport } from './report.ts';

export interface KeeperPorts {
  /** Starts a helper in a namespace; must not throw. */
  readonly enter: (namespace: Namespace) => RemoteNamespace;
  /** The ledger of this namespace. */
  readonly ledger: Ledger;
  readonly followers: Pick<Followers, 'add' | 'delete'>;
  /** Limits how many helpers of all namespaces start at once. */
  readonly starts: Turns;
  readonly clock: Clock;
  readonly log: Log;
}

/** Maximum number of helpers that start at once: hundreds would starve the controller of CPU time. */
export const MAX_STARTS = 4;

/** Delay before a helper that ended is replaced; doubles each time. */
const MIN_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

/**
 * Keeps VIPs in one network namespace until it is gone. A helper that ends, or cannot be started, is replaced; the kernel's table
 * and the ledger are then read again, as after a restart of the controller.
 */
export class NamespaceKeeper {
  /** The namespace, with the path that its file currently gives. */
  namespace: Namespace;
  readonly #ports: KeeperPorts;
  readonly #log: Log;
  #report: Omit<NamespaceReport, 'id' | 'path'>;

  constructor(namespace: Namespace, ports: KeeperPorts) {
    this.namespace = namespace;
    this.#ports = ports;
    this.#log = logOf(namespace.id, ports.log);
    this.#report = { isInSync: false, reason: NOT_YET, vips: 0, since: ports.clock.monotonic() };
  }

  get report(): NamespaceReport {
    const { id, path } = this.namespace;
    return { id, path, ...this.#report };
  }

  /** Runs until `signal` aborts; removes nothing from the namespace. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    let delay = MIN_DELAY_MS;
    let last = '';
    while (!signal.aborted) {
      const began = clock.monotonic();
      const reason = await this.#runHelper(signal);
      if (signal.aborted) break;
      if (clock.monotonic() - began > MAX_DELAY_MS) delay = MIN_DELAY_MS;
      if (reason !== last) this.#log.warn('network namespace is not updated', { reason });
      last = reason;
      this.#update({ isInSync: false, reason, vips: this.#report.vips });
      await clock.sleep(delay, signal);
      delay = Math.min(2 * delay, MAX_DELAY_MS);
    }
  }

  /** Runs one helper; resolves with the reason why it ended. */
  async #runHelper(signal: AbortSignal): Promise<string> {
    const { starts, ledger, followers, clock } = this.#ports;
    const remote = await starts.take(clock, async () => (signal.aborted ? null : await this.#start(signal)));
    if (remote === null) return NOT_NEEDED;
    const end = new AbortController();
    void remote.ended.then(() => end.abort(null));
    const { table, reachability } = remote;
    const follower = followers.add({ table, reachability, ledger, clock, log: this.#log });
    const logPass = createPassLog(this.#log);
    try {
      await follower.run((pass) => {
        if (end.signal.aborted) return;
        logPass(pass);
        this.#update(reportOf(pass));
      }, end.signal);
      return await remote.ended;
    } finally {
      followers.delete(follower);
    }
  }

  /** Starts a helper, which ends when `signal` aborts; resolves once it has answered for the first time or has ended. */
  async #start(signal: AbortSignal): Promise<RemoteNamespace> {
    const remote = this.#ports.enter(this.namespace);
    const stop = () => remote.end(NOT_NEEDED);
    signal.addEventListener('abort', stop);
    void remote.ended.then(() => signal.removeEventListener('abort', stop));
    await remote.reachability.exists().catch(() => undefined);
    return remote;
  }

  #update(report: Omit<NamespaceReport, 'id' | 'path' | 'since'>): void {
    const { isInSync, since } = this.#report;
    this.#report = { ...report, since: isInSync === report.isInSync ? since : this.#ports.clock.monotonic() };
  }
}

const NOT_NEEDED = 'no longer needed';
const NOT_YET = 'no pass has been made yet';

function reportOf(pass: PassStatus): Omit<NamespaceReport, 'id' | 'path' | 'since'> {
  const { error, failures, waiting, problems, shortfall, owned } = pass;
  const [failure] = failures;
  const [problem] = problems;
  let reason = error ?? problem ?? null;
  if (reason === null && failure !== undefined) reason = `${failure.step}: ${failure.message}`;
  if (reason === null && waiting > 0) reason = `${waiting} failed writes wait for their retry`;
  if (reason === null && shortfall.length > 0) reason = `${shortfall.length} VIPs are not as desired`;
  return { isInSync: reason === null, reason, vips: owned.size };
}

/** Adds the namespace to log lines. Changes are logged at debug level, since the host's log has them already. */
function logOf(netns: string, log: Log): Log {
  return {
    debug: (message, fields) => log.debug(message, { netns, ...fields }),
    info: (message, fields) => log.debug(message, { netns, ...fields }),
    warn: (message, fields) => log.warn(message, { netns, ...fields }),
    error: (message, fields) => log.error(message, { netns, ...fields }),
  };
}
