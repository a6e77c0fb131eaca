/** Wires the sources. Each kind is loaded only when one is configured. */

import type { Config } from '../config/config.ts';
import { optionAsWritten } from '../config/option-text.ts';
import type { SourceOption } from '../config/values.ts';
import type { AppSource, Log, Reporter, Resolver, SavedApps } from '../ports.ts';
import { createDnsResolver } from '../source/dns-resolver.ts';
import { systemClock } from '../time.ts';
import { clientOptionsOf } from './options.ts';

/** What each source needs besides its location. */
interface SourceParts {
  readonly resolver: Resolver;
  readonly log: Log;
  /** Gets those that report passes to the clusters of sources. */
  readonly reporters: Reporter[];
  readonly saved?: SavedApps | undefined;
}

/**
 * Creates the sources in the given order. Adds to `reporters` those that report passes to their clusters. `saved`: absent when
 * nothing is saved of them.
 */
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
  // The full list of a large cluster over a slow line takes long, although its beginning comes soon.
  const answerMs = config.sourceTimeoutSeconds * 12_000;
  const common = { where, silenceMs, answerMs, resolver, saved, clock: systemClock };
  // HTTP clients are the largest part of the program, so what uses one is loaded on demand.
  switch (kind) {
    case 'file': {
      const { createFileSource } = await import('../source/file/source.ts');
      return createFileSource({
        path: where,
        givenBy: optionAsWritten(config, 'source'),
        framework: config.framework,
        resolver,
        saved,
        log,
      });
    }
    case 'kubernetes': {
      const { wireKubernetes } = await import('./kubernetes.ts');
      const { appSource, reporter } = await wireKubernetes(where, config, log, saved);
      if (reporter !== null) reporters.push(reporter);
      return appSource;
    }
    case 'marathon': {
      const { createMarathonSource } = await import('../source/marathon/source.ts');
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
      const { createMesosAgentSource, createMesosSource } = await import('../source/mesos/source.ts');
      const options = { ...common, ...clientOptionsOf(config, 'mesos') };
      return kind === 'mesos' ? createMesosSource(options) : createMesosAgentSource(options);
    }
  }
}
