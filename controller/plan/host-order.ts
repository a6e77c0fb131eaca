/**
 * The order in which one host adds the backends of a service.
 *
 * The kernel puts each new destination at the head of its list (`list_add_rcu`, `ip_vs_ctl.c`), and most schedulers choose
 * the first of several equally good ones. With the same order on all hosts, all would start with the same backend.
 */

import { compareText } from '../compare.ts';
import { endpointKey } from '../model/endpoint.ts';
import type { Step } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';

export type BackendAddition = Extract<Step, { op: 'add-backend' | 'update-backend' }>;

/** Sorts the additions to one service into this host's order. */
export type HostOrder = (
  service: ServiceKey,
  additions: readonly BackendAddition[],
) => readonly BackendAddition[];

/**
 * Creates the order of one host: the same in each run, and different for each host and service.
 *
 * `hostId`: any text that is unique to the host; similar texts give unrelated orders.
 */
export function createHostOrder(hostId: string): HostOrder {
  const host = hash(0, hostId);
  return (service, additions) => {
    if (additions.length < 2) return additions;
    const seed = hash(host, service);
    const ranked = additions.map((step) => {
      const key = endpointKey(step.backend);
      return { step, key, rank: hash(seed, key) };
    });
    return ranked.sort((a, b) => a.rank - b.rank || compareText(a.key, b.key)).map(({ step }) => step);
  };
}

const { imul } = Math;

/**
 * MurmurHash3, 32 bits, over the code units of a text. The final mix lets each bit of the text change each bit of the
 * result with a probability of one half, so `node-1` and `node-2` have unrelated hashes.
 */
function hash(seed: number, text: string): number {
  let h = seed;
  for (let i = 0; i < text.length; i += 1) {
    const k = imul(text.charCodeAt(i), 0xcc9e2d51);
    h ^= imul((k << 15) | (k >>> 17), 0x1b873593);
    h = (imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  h ^= text.length;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
