/** Opening a server's port and closing it. */

import type { Server } from 'node:http';
import type { ListenOption } from '../config/values.ts';
import { ControllerError, messageOf } from '../errors.ts';
import { endpointKey } from '../model.ts';

const CLOSE_MS = 1_000;

/** Rejects with a `ControllerError` that says what to do when the address cannot be used. */
export function listenOn(server: Server, { address, port }: ListenOption, flag: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen(flag, { address, port }, cause)));
    server.listen({ host: address, port }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function cannotListen(flag: string, listen: ListenOption, cause: NodeJS.ErrnoException): ControllerError {
  const advice = ADVICE[cause.code ?? '']?.(listen, flag);
  const why = `${flag} ${endpointKey(listen)}: ${advice ?? messageOf(cause)}`;
  return new ControllerError('usage', why, { retry: 'never' });
}

const ADVICE: Readonly<Record<string, (listen: ListenOption, flag: string) => string>> = {
  EADDRINUSE: ({ port }, flag) =>
    `another process has this port (\`ss -ltnp sport = :${port}\` shows which); choose another with ${flag} ADDRESS:PORT, or ${flag} off`,
  EADDRNOTAVAIL: ({ address }, flag) =>
    `this host has no address ${address} (\`ip address\` lists those that it has); choose another with ${flag} ADDRESS:PORT, or ${flag} off`,
  EACCES: (_, flag) =>
    `ports below 1024 need CAP_NET_BIND_SERVICE; choose another with ${flag} ADDRESS:PORT, or ${flag} off`,
};

/** Of what it serves, with the port that was found where 0 was asked for. */
export function urlOf(scheme: string, server: Server, { address, port }: ListenOption): string {
  const bound = server.address();
  const found = typeof bound === 'object' && bound !== null ? bound.port : port;
  return `${scheme}://${endpointKey({ address, port: found })}`;
}

/** Takes no more requests and resolves when those at work are answered, or after a second. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const impatient = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(impatient);
      resolve();
    });
    server.closeIdleConnections();
  });
}
