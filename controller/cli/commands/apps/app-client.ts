import type { Config } from '../../../config/config.ts';
import { createTranslator, type Translate } from '../../../desired/translate.ts';
import type { Snapshot } from '../../../model/snapshot.ts';
import type { AppWriter, Clock, Log } from '../../../ports.ts';
import { createDnsResolver } from '../../../source/dns-resolver.ts';
import { createMarathonClient } from '../../../source/marathon/client.ts';
import { createMarathonSource } from '../../../source/marathon/source.ts';
import { createMarathonWriter } from '../../../source/marathon/writer.ts';
import { clientOptionsOf, poolsOf } from '../../../wire/options.ts';

/** What a command needs to work with one Marathon. */
export interface AppClient {
  readonly writer: AppWriter;
  /** The translation that the controllers on the hosts use. */
  readonly translate: Translate;
  /** Reads all apps of Marathon, as those controllers do. */
  read(signal: AbortSignal): Promise<Snapshot>;
  /** Marathon's framework name, which is part of the names of its VIPs. */
  framework(signal: AbortSignal): Promise<string>;
}

/** Opens the Marathon at these URLs; sends no request yet. */
export function openAppClient(where: string, config: Config, clock: Clock, log: Log): AppClient {
  const client = {
    where,
    clock,
    ...clientOptionsOf(config, 'marathon', config.marathon === undefined ? 'source' : 'marathon'),
    silenceMs: config.sourceTimeoutSeconds * 1_000,
    answerMs: config.sourceTimeoutSeconds * 12_000,
  };
  const writer = createMarathonWriter(createMarathonClient(client));
  const { framework } = config;
  const resolver = createDnsResolver({ clock, log });
  const source = createMarathonSource({ ...client, resolver, log, framework });
  return {
    writer,
    translate: createTranslator({ zone: config.zone, pools: poolsOf(config) }),
    read: (signal) => source.read(signal),
    framework: async (signal) => framework ?? (await writer.framework(signal)),
  };
}
