/** TCP connections as the kernel's table has them, in simulated time. */

import type { VipTarget } from '../../controller/eject/watched.ts';
import type { ConnectionsExtent } from '../../controller/model/connection-entry.ts';

/** How long an end is still to be seen; the kernel shows it for longer, which changes nothing. */
const ENDED_MS = 1_000;
/** How long the kernel keeps a connection of which it has seen a SYN alone. */
const SYN_RECV_MS = 60_000;

/** A TCP connection as the kernel's table has it. */
export interface Flow {
  readonly key: string;
  /** Where the table has it. */
  readonly place: number;
  /** When the client has the backend's answer; infinite: it gets none. */
  answeredAt: number;
  endedAt: number;
  endState: 'FIN_WAIT' | 'CLOSE';
  goneAt: number;
}

/** Of a client that asks at that moment; no two clients have the same number. */
export function openFlow({ service, target }: VipTarget, client: number, at: number): Flow {
  const [vip = ''] = service.slice('tcp/'.length).split(':');
  const key = `TCP ${hex(client, 8)} 8000 ${hexOf(vip)} 0050 ${hexOf(target.address)} ${hex(target.port, 4)}`;
  const never = Number.POSITIVE_INFINITY;
  const place = Math.imul(client, 0x9e3779b1);
  return { key, place, answeredAt: never, endedAt: never, endState: 'FIN_WAIT', goneAt: at + SYN_RECV_MS };
}

export function askedAgain(flow: Flow, at: number): void {
  flow.goneAt = at + SYN_RECV_MS;
}

export function stateOf({ answeredAt, endedAt, endState }: Flow, now: number): string {
  if (endedAt <= now) return endState;
  return answeredAt <= now ? 'ESTABLISHED' : 'SYN_RECV';
}

/** The backend answers so long after a SYN, and its reply to the request takes as long. */
export function establish(flow: Flow, at: number, answer: number): void {
  flow.answeredAt = at + answer;
  flow.endedAt = flow.answeredAt + answer;
  flow.goneAt = flow.endedAt + ENDED_MS;
}

export function closeFlow(flow: Flow, at: number): void {
  flow.endedAt = at;
  flow.endState = 'CLOSE';
  flow.goneAt = at + ENDED_MS;
}

/** Which of its connections a host reads. */
export interface TableLimits {
  /** So many; of a larger table those at its beginning. 0: it cannot be read. */
  readonly tableLimit: number;
  /** Whether the kernel tells besides which connections wait for an answer. */
  readonly isWaitingTold: boolean;
}

/** These connections as they are read; the kernel lists them by a hash. */
export function readFlows(flows: readonly Flow[], now: number, { tableLimit, isWaitingTold }: TableLimits) {
  const isPart = flows.length > tableLimit;
  const listed = isPart
    ? flows.toSorted((one, other) => one.place - other.place).slice(0, tableLimit)
    : flows;
  const waiting = isPart && isWaitingTold ? flows.filter((flow) => stateOf(flow, now) === 'SYN_RECV') : [];
  const connections = new Map([...waiting, ...listed].map((flow) => [flow.key, stateOf(flow, now)]));
  const extent: ConnectionsExtent = !isPart ? 'all' : isWaitingTold ? 'waiting' : 'beginning';
  return { connections, extent };
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, '0');
}

function hexOf(address: string): string {
  return address
    .split('.')
    .map((part) => hex(Number(part), 2))
    .join('');
}
