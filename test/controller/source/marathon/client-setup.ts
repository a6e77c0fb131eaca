import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import {
  createMarathonClient,
  type MarathonClientOptions,
} from '../../../../controller/source/marathon/client.ts';
import { systemClock } from '../../../../controller/time.ts';
import { type Route, sendJson, startServer, type TestServer } from '../support.ts';

let servers: TestServer[];
let directory: string;

/** Gives every test of the file that calls this its own servers and directory. */
export function useServers(): void {
  beforeEach(async () => {
    servers = [];
    directory = await mkdtemp(join(tmpdir(), 'marathon-client-'));
  });

  afterEach(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await rm(directory, { recursive: true });
  });
}

/** Never aborts. */
export const never = new AbortController().signal;

export async function serve(route: Route): Promise<TestServer> {
  const server = await startServer(route);
  servers.push(server);
  return server;
}

export function client(where: string | TestServer[], options: Partial<MarathonClientOptions> = {}) {
  const urls = typeof where === 'string' ? where : where.map(({ url }) => url).join(',');
  return createMarathonClient({ where: urls, clock: systemClock, ...options });
}

export async function secret(text: string): Promise<string> {
  const path = join(directory, 'secret');
  await writeFile(path, text);
  return path;
}

export const ok: Route = (_request, response) => sendJson(response, { ok: true });
export const refused = 'http://127.0.0.1:1';
