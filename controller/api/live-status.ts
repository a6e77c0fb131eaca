import { version } from '../config/version.ts';
import { messageOf } from '../errors.ts';
import type { Clock, KernelCounters } from '../ports.ts';
import type { HealthLimits } from '../status/checks.ts';
import type { StatusDocument } from '../status/document.ts';
import { presentStatus, type Reading } from '../status/present.ts';
import type { Status } from '../status/status.ts';
import { visibleJson } from '../visible.ts';
import { bounded } from './bounded.ts';

export interface LiveStatusOptions {
  readonly status: () => Status;
  /** Absent where the kernel is not to be asked; what the last pass found stands in then. */
  readonly counters?: KernelCounters | undefined;
  readonly limits: HealthLimits;
  /** What an operator should know besides; it stands among the advice. */
  readonly complaints: () => readonly string[];
  readonly clock: Pick<Clock, 'monotonic'>;
}

export interface LiveStatus {
  readonly document: StatusDocument;
  readonly body: Buffer;
}

/** The kernel is read at most this often, whoever asks. */
const LEAST_MS = 1_000;

/** Makes the function that gives the status with the kernel's counters of this moment, or of a second ago. */
export function createLiveStatus({
  status,
  counters,
  limits,
  complaints,
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

  return bounded(
    async () => {
      const reading = await read();
      const now = clock.monotonic();
      const presented = { status: status(), reading, limits, complaints: complaints(), version: ours, now };
      const document = presentStatus(presented);
      return { document, body: Buffer.from(`${visibleJson(document)}\n`) };
    },
    LEAST_MS,
    clock,
  );
}
