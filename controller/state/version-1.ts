import { rm } from 'node:fs/promises';
import * as z from 'zod';
import type { App, Memory, NamedAddresses } from '../model.ts';
import type { StoredSnapshot } from '../ports.ts';
import { required } from '../schema-messages.ts';
import { isStoredAddresses, isStoredApp } from './stored-app.ts';
import { readTrusted } from './trusted-file.ts';

const storedSnapshot = z.object({
  version: z.literal(1),
  savedAt: z.number(),
  snapshot: z.object({ apps: z.array(z.custom<App>(isStoredApp)), agents: z.array(z.string()).optional() }),
});
const storedMemory = z.object({
  version: z.literal(1),
  addresses: z.record(z.string(), z.custom<NamedAddresses>(isStoredAddresses)),
  labels: z.record(z.string(), z.string()),
});

/** What a version that wrote whole files left of a source; null where there is none. Rejects where it cannot be used. */
export async function readOldSnapshot(path: string): Promise<StoredSnapshot | null> {
  const text = await readTrusted(path);
  if (text === null) return null;
  const { savedAt, snapshot } = required(storedSnapshot, JSON.parse(text), 'a saved state');
  const { apps, agents } = snapshot;
  return { savedAt, snapshot: { apps, rejected: [], warnings: [], ...(agents !== undefined && { agents }) } };
}

/** The same of the memory of names and labels. */
export async function readOldMemory(path: string): Promise<Memory | null> {
  const text = await readTrusted(path);
  if (text === null) return null;
  const { addresses, labels } = required(storedMemory, JSON.parse(text), 'a saved state');
  return { addresses: new Map(Object.entries(addresses)), labels: new Map(Object.entries(labels)) };
}

/** It has been replaced: what it says must not come back. */
export async function removeOld(path: string): Promise<void> {
  await rm(path, { force: true });
}
