import { z } from 'zod';
import { type Check, type HealthLimits, healthz, livez, readyz } from '../status/checks.ts';
import { checksText } from '../status/checks-text.ts';
import type { Status } from '../status/status.ts';
import { flag } from './descriptions.ts';
import { type Endpoint, line } from './route.ts';
import { endpoint, type Services } from './services.ts';

export const HEALTH = {
  livez: health('livez', livez),
  readyz: health('readyz', readyz),
  healthz: health('healthz', healthz),
};

/** A health check, which probes query without a token. */
function health(
  name: string,
  checks: (status: Status, now: number, limits: HealthLimits) => readonly Check[],
): Endpoint<Services> {
  return endpoint({
    input: z.object({ verbose: flag, exclude: z.array(z.string()) }),
    answer({ status, clock, limits }, { input, right }) {
      const { ok: passed, text } = checksText(name, checks(status(), clock.monotonic(), limits), input);
      // Reasons name apps, sources and addresses; a probe needs only the verdict.
      const shown = right !== 'none' ? text : passed ? 'ok' : `${name} check failed; reasons need a token`;
      return line(passed ? 200 : 503, shown);
    },
  });
}
