/** The loads of data-path-bench, from its client. */
import { execFileSync } from 'node:child_process';
import { CLIENT } from './data-path-servers.ts';

const SECONDS = 1;

function inClient(...command: readonly string[]): string {
  return execFileSync('ip', ['netns', 'exec', CLIENT, ...command], { encoding: 'utf8' });
}

/** Requests as fast as answers come; throws where a single one fails. Latencies in milliseconds. */
export function wrk(target: string, connections: number, ...more: readonly string[]) {
  const args = ['-t1', `-c${connections}`, `-d${SECONDS}s`, '--latency', ...more, `http://${target}/`];
  const output = inClient('wrk', ...args);
  const errors = /Socket errors:.*|Non-2xx.*/.exec(output);
  if (errors !== null) throw new Error(`wrk ${args.join(' ')}: ${errors[0]}`);
  const requests = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
  return { requests, p50: percentile(output, 50), p99: percentile(output, 99) };
}

const MILLISECONDS: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3 };

function percentile(output: string, which: number): number {
  const [, value, unit = ''] = new RegExp(`^\\s+${which}%\\s+([\\d.]+)(us|ms|s)$`, 'm').exec(output) ?? [];
  const milliseconds = Number(value) * (MILLISECONDS[unit] ?? Number.NaN);
  if (Number.isNaN(milliseconds)) throw new Error(`wrk tells no ${which}th percentile: ${output}`);
  return milliseconds;
}

/** Bulk data from the client, in Mbit/s as the server counts them. */
export function iperf(target: string): number {
  const [address = '', port = ''] = target.split(':');
  const output = inClient('iperf3', '--json', '-t', String(SECONDS), '-c', address, '-p', port);
  return JSON.parse(output).end.sum_received.bits_per_second / 1e6;
}
