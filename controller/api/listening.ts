/** Opening and closing a server's port. */

import type { Server } from 'node:http';
import type { ListenOption } from '../config/values.ts';
import { ControllerError, messageOf } from '../errors.ts';
import { endpointKey } from '../model/endpoint.ts';

const CLOSE_MS = 1_000;

/** Binds the address. Rejects with a `ControllerError` that names the fix if it cannot be used. */
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

/** The URL of a listening server, with the actual port if port 0 was configured. */
export function urlOf(scheme: string, server: Server, { address, port }: ListenOption): string {
  const bound = server.address();
  const found = typeof bound === 'object' && bound !== null ? bound.port : port;
  return `${scheme}://${endpointKey({ address, port: found })}`;
}

/** Accepts no more requests; resolves when the current ones are answered, or after a second. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
