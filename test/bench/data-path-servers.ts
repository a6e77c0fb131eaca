/** The network and the servers of data-path-bench. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Topology } from '../support/network.ts';
import { command, waitFor } from '../support/shell.ts';

export const CLIENT = 'client';
export const BACKENDS = ['10.9.0.1', '10.9.0.2'] as const;
export const HAPROXY = '10.8.0.1';
export const PORTS = {
  web: 8_080,
  bulk: 5_201,
  proxiedTcp: 9_001,
  proxiedHttp: 9_002,
  proxiedBulk: 9_003,
} as const;

const GATEWAY = '10.9.0.254';
const ANSWER_BYTES = 1_024;

const name = (index: number) => `backend${index + 1}`;

export const DATA_PATH: Topology = {
  here: { bridges: { backends: [`${GATEWAY}/24`] } },
  namespaces: {
    [CLIENT]: { on: [`${HAPROXY}/24`], addresses: ['10.8.0.2/24'], routes: [`default via ${HAPROXY}`] },
    ...Object.fromEntries(
      BACKENDS.map((address, index) => [
        name(index),
        { on: 'backends', addresses: [`${address}/24`], routes: [`default via ${GATEWAY}`] },
      ]),
    ),
  },
};

/** Starts nginx and iperf3 on each backend and HAProxy here; resolves, once all answer, with what ends them. */
export async function startServers(directory: string): Promise<() => Promise<void>> {
  const running: ChildProcess[] = [];
  const start = (...[program = '', ...args]: readonly string[]) => {
    // On its stderr iperf3 complains of its own end.
    const stderr = args.includes('iperf3') ? 'ignore' : 'inherit';
    running.push(spawn(program, args, { stdio: ['ignore', 'ignore', stderr] }));
  };
  for (const index of BACKENDS.keys()) {
    const inside = ['ip', 'netns', 'exec', name(index)];
    start(...inside, 'nginx', '-c', nginxConfig(directory, index));
    start(...inside, 'iperf3', '--server', '--port', String(PORTS.bulk));
  }
  const config = join(directory, 'haproxy.cfg');
  writeFileSync(config, HAPROXY_CONFIG);
  start('haproxy', '-db', '-f', config);

  for (const target of [
    ...BACKENDS.map((address) => `${address}:${PORTS.web}`),
    `${HAPROXY}:${PORTS.proxiedHttp}`,
  ]) {
    await waitFor(`http://${target}`, async () => {
      const { status } = await command(['curl', '-sfo', '/dev/null', `http://${target}/`]);
      return status === 0 ? true : undefined;
    });
  }
  return async () => {
    const ended = running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of running) child.kill();
    await Promise.all(ended);
  };
}

/** Nothing that it writes lies where the system's own nginx would. */
function nginxConfig(directory: string, index: number): string {
  const own = join(directory, name(index));
  mkdirSync(own);
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = `
    daemon off; user root; worker_processes 1; pid ${own}/pid; error_log stderr;
    events { worker_connections 1024; }
    http {
      access_log off; keepalive_requests 100000000; ${kinds.map((kind) => `${kind}_temp_path ${own}/${kind};`).join(' ')}
      server { listen ${PORTS.web} backlog=4096; location / { return 200 "${'x'.repeat(ANSWER_BYTES)}"; } }
    }`;
  const path = join(own, 'nginx.conf');
  writeFileSync(path, config);
  return path;
}

/** Checked, as an app with health checks is; but one iperf3 takes a check for a client that keeps others away. */
const WEB = BACKENDS.map(
  (address, index) => `  server ${name(index)} ${address}:${PORTS.web} check inter 5s fall 3`,
);

/** The timeouts and options of marathon-lb, without its log, statistics and TLS. */
const HAPROXY_CONFIG = `
global
  maxconn 50000
  nbthread 1
defaults
  retries 3
  backlog 10000
  maxconn 10000
  timeout connect 3s
  timeout client 30s
  timeout server 30s
  timeout tunnel 3600s
  timeout http-keep-alive 1s
  timeout http-request 15s
  timeout queue 30s
  option dontlognull
  option http-server-close
  option redispatch
  balance leastconn
listen tcp
  mode tcp
  bind ${HAPROXY}:${PORTS.proxiedTcp}
${WEB.join('\n')}
listen http
  mode http
  option forwardfor
  bind ${HAPROXY}:${PORTS.proxiedHttp}
${WEB.join('\n')}
listen bulk
  mode tcp
  bind ${HAPROXY}:${PORTS.proxiedBulk}
  server ${name(0)} ${BACKENDS[0]}:${PORTS.bulk}
`;
