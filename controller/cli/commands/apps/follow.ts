import type { AppRef, Instances } from '../../../app-writes.ts';
import type { Config } from '../../../config/config.ts';
import { ControllerError } from '../../../errors.ts';
import { instancesOf } from '../../../source/document/instance-counts.ts';
import { isWhole, progressText } from '../../../status/progress.ts';
import { type Here, lookHere, untilHere } from './here.ts';
import type { AppPorts } from './messages.ts';
import type { AppParts } from './parts.ts';
import { watchForStall } from './stall.ts';

/** How a deployment ended. */
export interface Outcome {
  /** Whether Marathon has the app as it was sent, every instance running, and healthy where that is checked. */
  readonly done: boolean;
  /** null: it has no such app (any more). */
  readonly instances: Instances | null;
  /** Backends of it in rotation on this host; null where no controller answers here. */
  readonly inRotation: number | null;
  /** How far it was when nothing had moved for as long as the options allow; null where it was followed to its end. */
  readonly stalledAt: string | null;
}

/** What is waited for. */
export interface Goal {
  readonly ref: AppRef;
  /** How many VIPs it then has, each with every instance as a backend; or that Marathon has it no more. */
  readonly vips: number | 'gone';
}

const LOOK_MS = 500;
/** For how long Marathon may fail to answer, as it does while it elects a leader. */
const PATIENCE_MS = 60_000;

/**
 * Polls until the deployment is over, or has made no progress for as long as the options allow, and prints how far
 * it is. Rejects with the signal's reason when that aborts.
 */
export async function follow(
  deployment: string,
  { ref, vips }: Goal,
  parts: AppParts,
  config: Config,
  ports: AppPorts,
  signal: AbortSignal,
): Promise<Outcome> {
  const here = await lookHere(config, ref.id, ports, signal);
  try {
    const last = await untilOver(deployment, ref, { parts, config, ports, here, signal });
    if (last.stalledAt !== null) return { ...last, done: false, inRotation: await here(signal) };
    const done = vips === 'gone' ? last.instances === null : isWhole(last.instances);
    const wanted = vips === 'gone' ? 0 : vips * (last.instances?.ready ?? 0);
    const settled = (seen: number | null) => seen === null || (wanted === 0 ? seen === 0 : seen >= wanted);
    const words = 'deployed; waiting for the controller on this host';
    const count = await untilHere(here, done ? settled : () => true, words, ports, signal);
    return { ...last, done, inRotation: count };
  } finally {
    ports.progress(null);
  }
}

interface Look {
  readonly parts: AppParts;
  readonly config: Config;
  readonly ports: AppPorts;
  readonly here: Here;
  readonly signal: AbortSignal;
}

async function untilOver(
  deployment: string,
  ref: AppRef,
  { parts, config, ports, here, signal }: Look,
): Promise<Pick<Outcome, 'instances' | 'stalledAt'>> {
  const { writer } = parts;
  const stall = watchForStall(config.progressDeadlineSeconds, ports.clock);
  let answered = ports.clock.monotonic();
  for (;;) {
    try {
      const progress = await writer.deployment(deployment, signal);
      const instances = instancesOf(ref.kind, await writer.show(ref, signal));
      if (progress === null) return { instances, stalledAt: null };
      answered = ports.clock.monotonic();
      const words = progressText(progress, instances, await here(signal));
      if (stall.seen(words)) return { instances, stalledAt: words };
      ports.progress(words);
    } catch (error) {
      signal.throwIfAborted();
      const passing = error instanceof ControllerError && error.code === 'source' && error.retry === 'later';
      if (!passing || ports.clock.monotonic() - answered > PATIENCE_MS) throw error;
      ports.progress(`Marathon does not answer (${error.message}); retrying`);
    }
    await ports.clock.sleep(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}
