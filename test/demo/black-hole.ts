/** An instance that Marathon can reach and clients cannot: the controller finds it by itself. */

import type { JsonObject } from '../support/marathon/json.ts';
import { must, waitFor } from '../support/shell.ts';
import { why } from './controller.ts';
import { backendsInKernel } from './kernel.ts';
import { ask } from './load.ts';
import { AGENTS, HOST } from './network.ts';
import { heading, moment, quote, shellLine } from './show.ts';

/** 20 connections a second. */
const APART_MS = 50;
/** How long requests are counted after the instance has left the rotation, and until the last one is answered. */
const WATCH_MS = 1_500;
const LAST_ANSWER_MS = 500;

export type Expect = (holds: boolean, what: string) => void;

/** Lets one of these tasks answer Marathon alone for a while. */
export async function blackHole(
  tasks: readonly JsonObject[],
  vip: string,
  url: string,
  expect: Expect,
): Promise<void> {
  heading('A black hole: one instance answers Marathon and nobody else');
  const { backend, port, netns } = victimOf(tasks);
  const asked = asking(url);
  const rule = `to ${HOST} ipproto tcp sport ${port} blackhole`;
  const change = async (how: 'add' | 'del') => {
    shellLine(`ip -n ${netns} rule ${how} ${rule}`);
    await must(['ip', '-n', netns, 'rule', how, ...rule.split(' ')]);
    return performance.now();
  };
  const broken = await change('add');
  const left = await untilWeight(vip, backend, 'none');
  moment(
    `Marathon calls ${backend} healthy, and it gets no new connections ${inSeconds(left - broken)} later`,
  );
  await new Promise((resolve) => setTimeout(resolve, WATCH_MS + LAST_ANSWER_MS));
  const since = asked.between(left, left + WATCH_MS);
  moment(`${since.requests} requests since then, ${since.failed} failed`);
  expect(since.requests > 0 && since.failed === 0, 'no request fails once a black hole is out of rotation');

  shellLine(`marathon-ipvs why ${vip}`);
  const told = await why(vip);
  quote(told.stdout || told.stderr);
  expect(told.stdout.includes(`${backend}: ejected`), `why names ${backend}`);

  const mended = await change('del');
  const back = await untilWeight(vip, backend, 'some');
  moment(`${backend} answers again and is back ${inSeconds(back - mended)} later`);
  asked.stop();
}

function victimOf(tasks: readonly JsonObject[]) {
  for (const { host, ports } of tasks) {
    const netns = AGENTS.find(({ hostname }) => hostname === host)?.netns;
    const [port] = Array.isArray(ports) ? ports : [];
    if (netns !== undefined && port !== undefined) return { backend: `${host}:${port}`, port, netns };
  }
  throw new Error('no task runs on another agent');
}

function asking(url: string) {
  const all: { readonly at: number; isAnswered: boolean }[] = [];
  const timer = setInterval(async () => {
    const one = { at: performance.now(), isAnswered: false };
    all.push(one);
    one.isAnswered = 'backend' in (await ask(url));
  }, APART_MS);
  return {
    between(from: number, to: number) {
      const some = all.filter(({ at }) => at > from && at <= to);
      return { requests: some.length, failed: some.filter(({ isAnswered }) => !isAnswered).length };
    },
    stop: () => clearInterval(timer),
  };
}

async function untilWeight(vip: string, backend: string, wanted: 'none' | 'some'): Promise<number> {
  return await waitFor(`${backend} with ${wanted === 'none' ? 'weight 0' : 'a weight above 0'}`, async () => {
    const weight = (await backendsInKernel(vip)).get(backend);
    return weight !== undefined && weight > 0 === (wanted === 'some') ? performance.now() : undefined;
  });
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
