import { hostname } from 'node:os';
import type { Config } from '../../config/config.ts';
import { EXIT_OK } from '../../exit-status.ts';
import type { Clock } from '../../ports.ts';
import { openArchive } from '../../support/archive.ts';
import { type Collected, collect, type Part } from '../../support/collect.ts';
import { knownSecretRemover } from '../../support/known-secrets.ts';
import { pad, textWidth } from '../../text-table.ts';
import { visible } from '../../visible.ts';
import type { Printer } from '../terminal.ts';

export interface SupportBundlePorts extends Pick<Printer, 'print'> {
  readonly parts: readonly Part[];
  /** Secrets of this host, which no file may have. */
  readonly secrets: readonly string[];
  readonly clock: Pick<Clock, 'epoch'>;
}

/**
 * Writes one .tar.gz with all that a bug report needs, and prints the list of its files. Resolves with 0 also where parts
 * could not be collected: each is then a file that says why. Rejects with a `ControllerError` where it cannot be written.
 */
export async function supportBundle(
  { out }: Pick<Config, 'out'>,
  { parts, secrets, clock, print }: SupportBundlePorts,
  signal: AbortSignal,
): Promise<number> {
  const now = new Date(clock.epoch());
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const folder = `marathon-ipvs-${hostname().replace(/[^\w.-]/g, '_')}-${time}`;
  const path = out ?? `${folder}.tar.gz`;
  // First: to collect takes a while, and would be for nothing.
  const archive = await openArchive(path);
  const files = await collect(parts, knownSecretRemover(secrets), signal).catch(async (error) => {
    await archive.discard();
    throw error;
  });
  await archive.write(folder, files, now);
  print(listText(files));
  print(
    `${visible(path)}: passwords and tokens are left out; names and addresses of hosts and apps are in it\n`,
  );
  return EXIT_OK;
}

function listText(files: readonly Collected[]): string {
  const sizes = files.map(({ text }) => String(Buffer.byteLength(text)));
  const wide = Math.max(...files.map(({ name }) => textWidth(visible(name))));
  const size = Math.max(...sizes.map((text) => text.length));
  return files
    .map(({ name, note }, at) => {
      const line = `${pad(visible(name), wide)}  ${pad(sizes[at] ?? '', size, 'right')} bytes`;
      return `${line}${note === null ? '' : `  ${visible(note)}`}\n`;
    })
    .join('');
}
