/**
 * `client-main.ts LOAD`: asks the VIPs of LOAD (JSON) all the time, from the namespace that this process runs in, until
 * stdin ends. Answers each line of JSON on stdin with one on stdout:
 *
 *     {"look": true}                                        what was counted since it was last taken
 *     {"take": true}                                        the same, and counts from nothing again
 *     {"hold": {"address": "…", "port": 80}, "count": 20}   opens connections and holds them
 *     {"reset": "…"}                                        resets those that are held to this address
 *     {"query": {"address": "…", "port": 53}}               one UDP query besides the load
 */

import { createInterface } from 'node:readline';
import { Counter, RATES } from './figures.ts';
import { Queries, type Target } from './queries.ts';
import { Held, Requests } from './requests.ts';

export interface Load {
  readonly address: string;
  readonly tcp: number;
  readonly udp: number;
}

export interface Order {
  readonly look?: boolean;
  readonly take?: boolean;
  readonly hold?: Target;
  readonly count?: number;
  readonly reset?: string;
  readonly query?: Target;
}

const load: Load = JSON.parse(process.argv[2] ?? '{}');
const counter = new Counter();
const requests = new Requests({ address: load.address, port: load.tcp }, counter);
const queries = new Queries({ address: load.address, port: load.udp }, counter);
const held = new Held(counter);

regularly(RATES['new connections'], () => requests.fresh());
regularly(RATES['keep-alive'], () => requests.kept());
regularly(RATES.UDP, () => queries.send());

for await (const line of createInterface(process.stdin)) {
  process.stdout.write(`${JSON.stringify(await obey(JSON.parse(line)))}\n`);
}
process.exit(0);

async function obey(order: Order): Promise<unknown> {
  if (order.look) return counter.look();
  if (order.take) return counter.take();
  if (order.hold) return await held.open(order.hold, order.count ?? 1);
  if (order.query) return { answer: await queries.query(order.query) };
  if (order.reset !== undefined) await held.reset(order.reset);
  return {};
}

/** After a standstill, at most what one second would have seen is made up for. */
function regularly(perSecond: number, act: () => Promise<void>): void {
  let due = 0;
  let before = performance.now();
  setInterval(() => {
    const now = performance.now();
    due = Math.min(due + ((now - before) / 1_000) * perSecond, perSecond);
    before = now;
    for (; due >= 1; due--) void act();
  }, 1_000 / perSecond);
}
