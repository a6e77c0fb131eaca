/** Wires what the page and `/v1/apps` write with. */

import type { AppWriting } from '../api/services.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../ports.ts';
import { systemClock } from '../time.ts';
import { clientOptionsOf } from './options.ts';

/** null when writing is off. It has a client of its own, so that its requests do not wait for the source's. */
export async function writingOf(config: Config, log: Log): Promise<AppWriting | null> {
  const { allowWrites, sourceTimeoutSeconds } = config;
  const source = config.source.find(({ kind }) => kind === 'marathon');
  if (!allowWrites || source === undefined) return null;
  const [{ createMarathonClient }, { createMarathonWriter }] = await Promise.all([
    import('../source/marathon/client.ts'),
    import('../source/marathon/writer.ts'),
  ]);
  const client = createMarathonClient({
    where: source.where,
    ...clientOptionsOf(config, 'marathon'),
    silenceMs: sourceTimeoutSeconds * 1_000,
    clock: systemClock,
  });
  return { writer: createMarathonWriter(client), log };
}
