/** The kernel's table, read by ipvsadm, against what Marathon says: neither is the controller's own word. */

import { ipvsadm, shell } from '../support/host.ts';
import type { JsonObject } from '../support/marathon/json.ts';

export type Protocol = 'tcp' | 'udp';
export type Weights = ReadonlyMap<string, number>;

/** Backend -> weight of a VIP, in lines of `ipvsadm -Sn`; null where the kernel has no such service. */
export function backendsIn(lines: readonly string[], protocol: Protocol, vip: string): Weights | null {
  const service = `-${protocol[0]} ${vip} `;
  const own = lines.filter((line) => line.slice(3).startsWith(service));
  if (own.length === 0) return null;
  return new Map(
    own.flatMap((line) => {
      const [, backend, weight] = /^-a .* -r (\S+) -m -w (\d+)/.exec(line) ?? [];
      return backend === undefined ? [] : [[backend, Number(weight)] as const];
    }),
  );
}

export async function backendsOf(protocol: Protocol, vip: string): Promise<Weights | null> {
  return backendsIn(await ipvsadm(), protocol, vip);
}

/** What these tasks should be in the kernel, by the index of their port: TCP drains at weight 0, UDP goes. */
export function wanted(protocol: Protocol, tasks: readonly JsonObject[]): Weights {
  const index = protocol === 'tcp' ? 0 : 1;
  const weights = new Map<string, number>();
  for (const task of tasks) {
    const weight = weightOf(task);
    const { host, ports } = task;
    if (weight === null || (protocol === 'udp' && weight === 0) || !Array.isArray(ports)) continue;
    weights.set(`${host}:${ports[index]}`, weight);
  }
  return weights;
}

function weightOf({ state, healthCheckResults }: JsonObject): number | null {
  if (state === 'TASK_KILLING') return 0;
  if (state !== 'TASK_RUNNING') return null;
  const results = Array.isArray(healthCheckResults) ? healthCheckResults : [];
  return results.length > 0 && results.every(({ alive }) => alive) ? 1 : 0;
}

/** `10.9.0.2:20000 1, …`, in order, for comparing and for people. */
export function inWords(weights: Weights | null): string {
  if (weights === null) return 'no service';
  return [...weights]
    .map(([backend, weight]) => `${backend} ${weight}`)
    .sort()
    .join(', ');
}

/** Entries of the connection table for this VIP, as `ipvsadm -Lcn` lists them. */
export async function connectionsOf(protocol: Protocol, vip: string): Promise<readonly string[]> {
  const lines = (await shell('ipvsadm -Lcn')).split('\n');
  return lines.filter((line) => line.startsWith(protocol.toUpperCase()) && line.includes(` ${vip} `));
}
