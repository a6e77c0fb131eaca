import type { Config } from '../../config/config.ts';
import { usage } from '../../config/given.ts';
import { createTranslator, type Translate } from '../../desired/translate.ts';
import type { Snapshot } from '../../model.ts';
import type { AppWriter, Clock, Log } from '../../ports.ts';
import { createDnsResolver } from '../../source/dns-resolver.ts';
import { createMarathonClient } from '../../source/marathon/client.ts';
import { createMarathonSource } from '../../source/marathon/source.ts';
import { createMarathonWriter } from '../../source/marathon/writer.ts';
import { credentialsOf, poolsOf } from '../../wire-options.ts';

/** One Marathon in the hands of a command. */
export interface AppParts {
  readonly writer: AppWriter;
  /** As the controllers on the hosts will translate it. */
  readonly translate: Translate;
  /** Everything that Marathon runs, as those controllers see it. */
  read(signal: AbortSignal): Promise<Snapshot>;
  /** Of the names of its VIPs. */
  framework(signal: AbortSignal): Promise<string>;
}

/** Throws a `ControllerError` 'usage' where no Marathon, or more than one, is configured. */
export function openApps(config: Config, clock: Clock, log: Log): AppParts {
  const where = marathonOf(config);
  const client = {
    where,
    clock,
    credentials: credentialsOf(config.marathonUserFile, config.marathonTokenFile),
    caFile: config.marathonCaFile,
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

function marathonOf({ marathon, source }: Pick<Config, 'marathon' | 'source'>): string {
  if (marathon !== undefined) return marathon.where;
  const [first, ...others] = source.filter(({ kind }) => kind === 'marathon');
  if (first === undefined) {
    throw usage('no Marathon is given, expected --marathon http://HOST:PORT or --source marathon=…');
  }
  if (others.length > 0) {
    throw usage('several Marathons are configured by --source, expected --marathon URL that says which');
  }
  return first.where;
}
