/** What a traffic test does to the apps and to the program while the client asks. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { shell } from '../support/host.ts';
import { APP, type Cluster } from './cluster.ts';

const BETWEEN_MS = 1_500;

/** Kills an instance, scales up and scales down, over and over; `stop` leaves three and resolves with the number of changes. */
export function keepChanging(cluster: Cluster): { stop(): Promise<number> } {
  const changes: readonly (() => Promise<void>)[] = [
    () => cluster.api('DELETE', `/v2/apps${APP}/tasks/${cluster.marathon.tasks(APP)[0]?.['id']}`),
    () => cluster.api('PUT', `/v2/apps${APP}?force=true`, { instances: 5 }),
    () => cluster.api('PUT', `/v2/apps${APP}?force=true`, { instances: 3 }),
  ];
  let stopped = false;
  const changing = (async () => {
    for (let made = 0; ; made++) {
      if (stopped && made % changes.length === 0) return made;
      await changes[made % changes.length]?.();
      await sleep(BETWEEN_MS);
    }
  })();
  return {
    stop() {
      stopped = true;
      return changing;
    },
  };
}

const ROOT = join(import.meta.dirname, '..', '..');

/** A copy of the program in that folder that says it is another version; resolves with the folder. */
export async function anotherCopy(folder: string, version: string): Promise<string> {
  await shell(
    `mkdir ${folder} && cp -r ${ROOT}/controller ${folder} && ln -s ${ROOT}/node_modules ${folder}`,
  );
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, version }));
  return folder;
}

/** Apps with a VIP and one instance each, which nobody asks. */
export function unrelatedApps(count: number): readonly unknown[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `/unrelated-${index}`,
    portDefinitions: [{ protocol: 'tcp', port: 0, labels: { VIP_0: `/unrelated-${index}:80` } }],
    tasks: [
      {
        id: `unrelated-${index}.1`,
        host: '10.9.0.9',
        ports: [1_024 + index],
        state: 'TASK_RUNNING',
        startedAt: '2026-01-01T00:00:00.000Z',
      },
    ],
  }));
}
