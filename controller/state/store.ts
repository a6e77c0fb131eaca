import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { ControllerError, messageOf } from '../errors.ts';
import type { App, Memory, Snapshot } from '../model.ts';
import type { Clock, Log, StateStore, StoredSnapshot } from '../ports.ts';
import { required } from '../schema-messages.ts';
import { replaceFile } from './atomic-file.ts';
import { jsonOfMap } from './json-map.ts';
import { isStoredApp } from './stored-app.ts';
import { readTrusted } from './trusted-file.ts';

const VERSION = 1;

const storedSnapshot = z.object({
  version: z.literal(VERSION),
  source: z.string(),
  savedAt: z.number(),
  snapshot: z.object({ apps: z.array(z.custom<App>(isStoredApp)), agents: z.array(z.string()).optional() }),
});
const storedMemory = z.object({
  version: z.literal(VERSION),
  addresses: z.record(z.string(), z.object({ ipv4: z.string().optional(), ipv6: z.string().optional() })),
  labels: z.record(z.string(), z.string()),
});

/**
 * State as JSON files in `directory` (default /var/lib/marathon-ipvs): `memory.json`, and `source-….json` for each
 * source. A file that is missing gives nothing; one that cannot be used is reported in the log and counts as missing.
 */
export function createStateStore(directory: string, clock: Clock, log: Log): StateStore {
  /** Source -> its apps as they were saved last, with their text. */
  const saved = new Map<string, ReadonlyMap<App, string>>();

  function* snapshotText(source: string, { apps, agents }: Snapshot): Generator<string> {
    // Apps that did not change are the same objects: most of a large snapshot is then text already.
    const before = saved.get(source);
    const texts = new Map<App, string>();
    yield `{"version":${VERSION},"source":${JSON.stringify(source)},"savedAt":${clock.epoch()},"snapshot":{"apps":[`;
    let separator = '\n';
    for (const app of apps) {
      const text = before?.get(app) ?? JSON.stringify(app);
      texts.set(app, text);
      yield separator;
      yield text;
      separator = ',\n';
    }
    yield agents === undefined ? ']}}\n' : `],"agents":${JSON.stringify(agents)}}}\n`;
    saved.set(source, texts);
  }

  async function load<Shape>(path: string, schema: z.ZodType<Shape>): Promise<Shape | null> {
    try {
      const text = await readTrusted(path);
      return text === null ? null : required(schema, JSON.parse(text), 'a saved state');
    } catch (error) {
      log.warn('saved state cannot be used', { path, error: messageOf(error).slice(0, 300) });
      return null;
    }
  }

  const snapshotPath = (source: string) => join(directory, `source-${digest(source)}.json`);
  const memoryPath = join(directory, 'memory.json');

  return {
    async loadSnapshot(source): Promise<StoredSnapshot | null> {
      const stored = await load(snapshotPath(source), storedSnapshot);
      if (stored === null) return null;
      const { apps, agents } = stored.snapshot;
      const snapshot = { apps, rejected: [], warnings: [], ...(agents !== undefined && { agents }) };
      return { savedAt: stored.savedAt, snapshot };
    },
    async saveSnapshot(source, snapshot) {
      await save(snapshotPath(source), snapshotText(source, snapshot));
    },
    async loadMemory(): Promise<Memory> {
      const stored = await load(memoryPath, storedMemory);
      const addresses = Object.entries(stored?.addresses ?? {}).map(
        ([name, { ipv4, ipv6 }]) =>
          [name, { ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) }] as const,
      );
      return { addresses: new Map(addresses), labels: new Map(Object.entries(stored?.labels ?? {})) };
    },
    async saveMemory({ addresses, labels }) {
      const stored = `{"version":${VERSION},"addresses":${jsonOfMap(addresses)},"labels":${jsonOfMap(labels)}}`;
      await save(memoryPath, stored);
    },
  };
}

async function save(path: string, text: string | Iterable<string>): Promise<void> {
  await replaceFile(path, text).catch((cause) => {
    throw new ControllerError('state', `write ${path} (--state-dir)`, { cause });
  });
}

/** A source's name holds characters that a file name may not. */
function digest(source: string): string {
  return createHash('sha256').update(source).digest('hex').slice(0, 16);
}
