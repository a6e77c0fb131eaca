/** Builds the sources; each kind is loaded only where one is named. */

import type { Config } from './config/config.ts';
import { givenAs } from './config/given.ts';
import type { SourceOption } from './config/values.ts';
import type { AppSource, Log, Reporter, Resolver, SavedApps } from './ports.ts';
import { createDnsResolver } from './source/dns-resolver.ts';
import { systemClock } from './time.ts';
import { clientOptionsOf } from './wire-options.ts';

/** What each of them needs besides where it is. */
interface SourceParts {
  readonly resolver: Resolver;
  readonly log: Log;
  /** Who tells their clusters of passes is added here. */
  readonly reporters: Reporter[];
  readonly saved?: SavedApps | undefined;
}

/** The sources in the order given, and in `reporters` who tells their clusters of passes. `saved`: absent where nothing is kept of them. */
export async function sourcesOf(
  config: Config,
  log: Log,
  reporters: Reporter[],
  saved?: SavedApps,
): Promise<AppSource[]> {
  const resolver = createDnsResolver({ clock: systemClock, log });
  const parts = { resolver, log, reporters, saved };
  return await Promise.all(config.source.map((source) => sourceOf(source, config, parts)));
}

async function sourceOf(
  { kind, where }: SourceOption,
  config: Config,
  { resolver, log, reporters, saved }: SourceParts,
): Promise<AppSource> {
  const silenceMs = config.sourceTimeoutSeconds * 1_000;
  // A full list of a large cluster over a slow line takes longer than its beginning.
  const answerMs = config.sourceTimeoutSeconds * 12_000;
  const common = { where, silenceMs, answerMs, resolver, saved, clock: systemClock };
  // An HTTP client is the largest part of all, so what uses one is loaded when it is asked for.
  switch (kind) {
    case 'file': {
      const { createFileSource } = await import('./source/file/source.ts');
      return createFileSource({
        path: where,
        givenBy: givenAs(config, 'source'),
        framework: config.framework,
        resolver,
        saved,
        log,
      });
    }
    case 'kubernetes': {
      const { wireKubernetes } = await import('./wire-kubernetes.ts');
      const { appSource, reporter } = await wireKubernetes(where, config, log, saved);
      if (reporter !== null) reporters.push(reporter);
      return appSource;
    }
    case 'marathon': {
      const { createMarathonSource } = await import('./source/marathon/source.ts');
      return createMarathonSource({
        ...common,
        log,
        ...clientOptionsOf(config, 'marathon'),
        framework: config.framework,
        relistSeconds: config.relistSeconds,
        eventSilenceMs: config.sourceSilenceSeconds * 1_000,
      });
    }
    case 'mesos':
    case 'mesos-agent': {
      const { createMesosAgentSource, createMesosSource } = await import('./source/mesos/source.ts');
      const options = { ...common, ...clientOptionsOf(config, 'mesos') };
      return kind === 'mesos' ? createMesosSource(options) : createMesosAgentSource(options);
    }
  }
}
