import { hostname } from 'node:os';
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../ports.ts';
import { openArchive } from '../../support/archive.ts';
import { type Collected, collect, type Part } from '../../support/collect.ts';
import { knownSecretRemover } from '../../support/known-secrets.ts';
import { pad, textWidth } from '../../text/table.ts';
import { visible } from '../../text/visible.ts';
import { EXIT_OK } from '../exit-status.ts';
import type { Printer } from '../terminal.ts';

export interface SupportBundlePorts extends Pick<Printer, 'print'> {
  readonly parts: readonly Part[];
  /** Secrets of this host, which are removed from every file. */
  readonly secrets: readonly string[];
  readonly clock: Pick<Clock, 'epoch'>;
}

/**
 * Writes a .tar.gz with everything that a bug report needs, and prints the list of its files. Resolves with 0 even if parts
 * could not be collected; their files then say why. Rejects with a `ControllerError` if the archive cannot be written.
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
  // Opened first: collecting takes a while, and would be wasted if the file cannot be written.
  const archive = await openArchive(path);
  const files = await collect(parts, knownSecretRemover(secrets), signal).catch(async (error) => {
    await archive.discard();
    throw error;
  });
  await archive.write(folder, files, now);
  print(listText(files));
  print(`${visible(path)}: without passwords and tokens, but with names and addresses of hosts and apps\n`);
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
