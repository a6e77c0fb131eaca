import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { familyOf } from '../address.ts';
import type { ProbeResult } from '../model/ejection.ts';
import type { Clock, Prober } from '../ports.ts';

export interface ProberTimes {
  /** How long to wait for an answer after the last attempt has begun. Earlier attempts have until then too. */
  readonly timeoutMs: number;
  /** Time from the start of an attempt to that of the next. */
  readonly apartMs: number;
}

/** The kernel retransmits the first SYN after 1 s, so two attempts time out only if three SYNs over a second are lost. */
const TIMES: ProberTimes = { timeoutMs: 1_000, apartMs: 100 };

/**
 * Probes backends from this host, with the source address that local clients use. A TCP connection is closed as soon as it
 * is established. A UDP backend gets an empty datagram: only an ICMP error in reply is conclusive.
 */
export function createProber(clock: Pick<Clock, 'sleep'>, times: ProberTimes = TIMES): Prober {
  const { timeoutMs, apartMs } = times;
  return {
    probe: ({ protocol, address, port }, attempts) =>
      Promise.all(
        Array.from({ length: attempts }, async (_, i) => {
          if (i > 0) await clock.sleep(i * apartMs);
          const left = timeoutMs + (attempts - 1 - i) * apartMs;
          return await (protocol === 'tcp' ? tryTcp(address, port, left) : tryUdp(address, port, left));
        }),
      ),
  };
}

function tryTcp(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (result: ProbeResult) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    // After a stall of this process the timer comes before the events of the socket, but those before an immediate.
    const timer = setTimeout(() => setImmediate(end, 'timed out'), timeoutMs);
    socket.once('connect', () => end('connected'));
    // Never removed: an error after the end of the probe must not crash the process.
    socket.on('error', (error) => end(resultOf(error)));
  });
}

function tryUdp(address: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = createSocket(familyOf(address) === 'ipv6' ? 'udp6' : 'udp4');
    let isOpen = true;
    const end = (result: ProbeResult) => {
      clearTimeout(timer);
      if (isOpen) socket.close();
      isOpen = false;
      resolve(result);
    };
    const timer = setTimeout(() => setImmediate(end, 'silent'), timeoutMs);
    socket.on('error', (error) => end(resultOf(error)));
    socket.once('message', () => end('connected'));
    socket.connect(port, address, () => socket.send(Buffer.alloc(0)));
  });
}

function resultOf({ code }: NodeJS.ErrnoException): ProbeResult {
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ETIMEDOUT') return 'timed out';
  return code === 'EHOSTUNREACH' || code === 'ENETUNREACH' ? 'unreachable' : 'unknown';
}
