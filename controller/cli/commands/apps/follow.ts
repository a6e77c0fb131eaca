import type { Config } from '../../../config/config.ts';
import { ControllerError } from '../../../errors.ts';
import type { AppRef, Instances } from '../../../model/app-writes.ts';
import { instancesOf } from '../../../source/document/instance-counts.ts';
import { isWhole, progressText } from '../../../status/progress.ts';
import type { AppClient } from './app-client.ts';
import { type CountHere, countHere, waitHere } from './here.ts';
import type { AppPorts } from './messages.ts';
import { watchForStall } from './stall.ts';

/** How a deployment ended. */
export interface Outcome {
  /** Whether Marathon has the app as sent, with every instance running and, if it has health checks, healthy. */
  readonly done: boolean;
  /** null if the app does not exist at Marathon. */
  readonly instances: Instances | null;
  /** Backends of the app in rotation on this host; null if no controller answers here. */
  readonly inRotation: number | null;
  /** The progress at which it stalled, after `--progress-deadline-seconds`; null if it was followed to its end. */
  readonly stalledAt: string | null;
}

/** The state to wait for. */
export interface Goal {
  readonly ref: AppRef;
  /** The number of VIPs the app will have, each with every instance as a backend; `gone` if it is removed. */
  readonly vips: number | 'gone';
}

const POLL_MS = 500;
/** How long Marathon may fail to answer, as it does while it elects a leader. */
const MAX_OUTAGE_MS = 60_000;

/**
 * Polls until the deployment is over or has stalled, and prints its progress. Rejects with the signal's reason when that
 * aborts.
 */
export async function follow(
  deployment: string,
  { ref, vips }: Goal,
  client: AppClient,
  config: Config,
  ports: AppPorts,
  signal: AbortSignal,
): Promise<Outcome> {
  const here = await countHere(config, ref.id, ports, signal);
  try {
    const last = await untilOver(deployment, ref, { client, config, ports, here, signal });
    if (last.stalledAt !== null) return { ...last, done: false, inRotation: await here(signal) };
    const done = vips === 'gone' ? last.instances === null : isWhole(last.instances);
    const wanted = vips === 'gone' ? 0 : vips * (last.instances?.ready ?? 0);
    const settled = (seen: number | null) => seen === null || (wanted === 0 ? seen === 0 : seen >= wanted);
    const words = 'deployed; waiting for the controller on this host';
    const count = await waitHere(here, done ? settled : () => true, words, ports, signal);
    return { ...last, done, inRotation: count };
  } finally {
    ports.progress(null);
  }
}

interface Following {
  readonly client: AppClient;
  readonly config: Config;
  readonly ports: AppPorts;
  readonly here: CountHere;
  readonly signal: AbortSignal;
}

async function untilOver(
  deployment: string,
  ref: AppRef,
  { client, config, ports, here, signal }: Following,
): Promise<Pick<Outcome, 'instances' | 'stalledAt'>> {
  const { writer } = client;
  const stall = watchForStall(config.progressDeadlineSeconds, ports.clock);
  let answered = ports.clock.monotonic();
  for (;;) {
    try {
      const progress = await writer.deployment(deployment, signal);
      const instances = instancesOf(ref.kind, await writer.show(ref, signal));
      if (progress === null) return { instances, stalledAt: null };
      answered = ports.clock.monotonic();
      const words = progressText(progress, instances, await here(signal));
      if (stall.isStalled(words)) return { instances, stalledAt: words };
      ports.progress(words);
    } catch (error) {
      signal.throwIfAborted();
      const temporary =
        error instanceof ControllerError && error.code === 'source' && error.retry === 'later';
      if (!temporary || ports.clock.monotonic() - answered > MAX_OUTAGE_MS) throw error;
      ports.progress(`Marathon does not answer (${error.message}); retrying`);
    }
    await ports.clock.sleep(POLL_MS, signal);
    signal.throwIfAborted();
  }
}
