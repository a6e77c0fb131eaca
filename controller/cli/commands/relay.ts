import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../../config/config.ts';
import { createRelayHealth, serveRelayHealth } from '../../relay/health.ts';
import { runRelay } from '../../relay/relay.ts';
import type { RelayParts } from '../../wire/kubernetes.ts';

/** Publishes the apps of the sources in a Kubernetes cluster until `signal` aborts. */
export async function relay(config: Config, parts: RelayParts, signal: AbortSignal): Promise<void> {
  const { client, sources, clock, log, namespace } = parts;
  const { listen } = config;
  const names = sources.map(({ name }) => name);
  const health = createRelayHealth(names, clock, 2 * config.relistSeconds * 1_000 + 60_000);
  const server = listen && (await serveRelayHealth({ listen, services: health, clock, log }));
  try {
    await runRelay(
      {
        client,
        sources,
        clock,
        log,
        observer: health.observer,
        namespace,
        name: config.relayName,
        // Not the process id: it is 1 in every container, and containers on the host's network share the host name.
        identity: `${hostname()}_${randomUUID()}`,
        settleMs: config.settleMs,
        random: Math.random,
      },
      signal,
    );
  } finally {
    await server?.close();
  }
}
