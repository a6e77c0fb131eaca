import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { App, Task } from '../../../../controller/model/app.ts';
import { createFileSource } from '../../../../controller/source/file/source.ts';
import { namesOf, silent } from '../support.ts';

const DIRECTORY = new URL('../../../../../shared/fixtures/', import.meta.url);
/** Task tables as dcos-net's own tests state them for its recordings. */
const names = existsSync(DIRECTORY)
  ? readdirSync(DIRECTORY).filter((name) => /^mesos-.*\.expected\.json$/.test(name))
  : [];

interface ExpectedTask {
  readonly task_id: string;
  readonly framework: string;
  readonly name: string;
  readonly agent_ip: string;
  readonly task_ip: readonly string[];
  readonly state: string;
  readonly healthy?: boolean;
  readonly ports?: readonly { readonly port?: number; readonly host_port?: number }[];
}

if (names.length === 0)
  test.skip('real Mesos recordings: ../shared/fixtures is not on this machine', () => undefined);

for (const name of names) {
  test(`the tasks of ${name.replace('.expected.json', '')} are those that dcos-net finds in it`, async () => {
    const json = new URL(name.replace('.expected', ''), DIRECTORY);
    const path = existsSync(json) ? json.pathname : `${json.pathname}l`;
    const source = createFileSource({ path, resolver: namesOf(), log: silent });
    const { apps, rejected, warnings } = await source.read(new AbortController().signal);
    expect({ rejected, warnings }).toEqual({ rejected: [], warnings: [] });

    const { tasks = [] } = JSON.parse(readFileSync(new URL(name, DIRECTORY), 'utf8'));
    expect(apps.flatMap(found).sort()).toEqual(tasks.map(expected).sort());
  });
}

function found({ framework, tasks }: App): string[] {
  return tasks
    .filter(({ state }) => state !== 'gone')
    .map(({ id, name, state, health, ports }) =>
      [
        id,
        framework,
        name,
        state,
        health === 'unhealthy' || health === 'unknown',
        ...endpointsOf(ports),
      ].join(' '),
    );
}

/** Old task labels are ports of their own here, and additional VIPs of a discovery port there. */
function endpointsOf(ports: Task['ports']): string[] {
  return ports
    .filter(({ at }) => !at.startsWith('labels.'))
    .map(({ endpoints }) => endpoints.map(({ address, port }) => `${address}:${port}`).join(','))
    .sort();
}

function expected({ task_id, framework, name, state, healthy, ports = [], ...task }: ExpectedTask): string {
  const endpoints = ports.map(({ port, host_port }) =>
    host_port === undefined
      ? task.task_ip.map((ip) => `${ip}:${port}`).join(',')
      : `${task.agent_ip}:${host_port}`,
  );
  return [task_id, framework, name, state, healthy === false, ...endpoints.sort()].join(' ');
}
