/** A module that the kernel of the lab has, made one that it lacks. */

import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the kernel starts when it wants a module. */
const LOADER = '/proc/sys/kernel/modprobe';

/**
 * From now on the kernel asks in vain for this module, which must not be loaded yet. On a kernel that this machine runs
 * other things on, which has no loader of the lab's own, nothing is changed.
 */
export async function hideModule(name: string): Promise<{ undo(): Promise<void> }> {
  const loader = (await readFile(LOADER, 'utf8')).trim();
  if (!loader.startsWith('/run/lab/')) return { undo: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'marathon-ipvs-loader-'));
  const script = join(folder, 'modprobe');
  await writeFile(script, `#!/bin/sh\ncase " $* " in *" ${name} "*) exit 1 ;; esac\nexec ${loader} "$@"\n`);
  await chmod(script, 0o755);
  await writeFile(LOADER, script);
  return {
    async undo() {
      await writeFile(LOADER, loader);
      await rm(folder, { recursive: true });
    },
  };
}
