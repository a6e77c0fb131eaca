import { rm } from 'node:fs/promises';
import * as z from 'zod';
import type { App, Memory, NamedAddresses, ServiceKey } from '../model.ts';
import type { LedgerEntry, StoredSnapshot } from '../ports.ts';
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
const storedLedger = z.object({
  version: z.literal(1),
  kernel: z.string(),
  services: z.record(
    z.string(),
    z.object({
      name: z.string().nullable(),
      framework: z.string().nullable(),
      fqdn: z.string().nullable().default(null),
      drains: z.record(z.string(), z.number()).exactOptional(),
    }),
  ),
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

/** A ledger that was one JSON text, and which kernel's tables it is of. Throws where it is none. */
export function parseOldLedger(text: string): {
  readonly kernel: string;
  readonly entries: ReadonlyMap<ServiceKey, LedgerEntry>;
} {
  const { kernel, services } = required(storedLedger, JSON.parse(text), 'a ledger');
  return { kernel, entries: new Map(Object.entries(services)) };
}

/** It has been replaced: what it says must not come back. */
export async function removeOld(path: string): Promise<void> {
  await rm(path, { force: true });
}
