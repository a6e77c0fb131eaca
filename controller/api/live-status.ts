import { version } from '../config/version.ts';
import { messageOf } from '../errors.ts';
import type { Clock, KernelCounters } from '../ports.ts';
import type { HealthLimits } from '../status/checks.ts';
import type { StatusDocument } from '../status/document.ts';
import { presentStatus, type Reading } from '../status/present.ts';
import type { Status } from '../status/status.ts';
import { visibleJson } from '../text/visible.ts';
import { cached } from './cached.ts';

export interface LiveStatusOptions {
  readonly status: () => Status;
  /** Reads the kernel; without it the counters are those of the last pass. */
  readonly counters?: KernelCounters | undefined;
  readonly limits: HealthLimits;
  /** Warnings about certificates and tokens, listed with the advice. */
  readonly warnings: () => readonly string[];
  readonly clock: Pick<Clock, 'monotonic'>;
}

export interface LiveStatus {
  readonly document: StatusDocument;
  readonly body: Buffer;
}

/** The kernel is read at most this often, however many clients ask. */
const MIN_INTERVAL_MS = 1_000;

/** Returns a function that reads the status with the kernel's counters, at most a second old. */
export function createLiveStatus({
  status,
  counters,
  limits,
  warnings,
  clock,
}: LiveStatusOptions): () => Promise<LiveStatus> {
  const ours = version();

  async function read(): Promise<Reading> {
    if (counters === undefined) return { at: null, error: 'not asked for' };
    try {
      const kernel = await counters.read(status().vips.keys());
      return { at: clock.monotonic(), kernel };
    } catch (error) {
      return { at: null, error: messageOf(error) };
    }
  }

  return cached(
    async () => {
      const reading = await read();
      const now = clock.monotonic();
      const presented = { status: status(), reading, limits, complaints: warnings(), version: ours, now };
      const document = presentStatus(presented);
      return { document, body: Buffer.from(`${visibleJson(document)}\n`) };
    },
    MIN_INTERVAL_MS,
    clock,
  );
}
