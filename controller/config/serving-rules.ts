/** Checks the options of the HTTP server against each other. */

import { inPool, parsePool } from '../desired/pool.ts';
import { isLoopback } from '../http/loopback.ts';
import { endpointKey } from '../model/endpoint.ts';
import { usage } from './option-text.ts';
import type { OptionValues } from './options.ts';

type Serving = Pick<
  OptionValues,
  | 'listen'
  | 'tlsCertFile'
  | 'tlsKeyFile'
  | 'tlsClientCaFile'
  | 'tlsClientNames'
  | 'readTokenFile'
  | 'writeTokenFile'
> &
  Pick<OptionValues, 'allowWrites' | 'source' | 'dnsListen' | 'poolIpv4' | 'poolIpv6'>;

/** Throws a `ControllerError` 'usage' that names the missing option if the combination is not safe or not complete. */
export function checkServing(config: Serving): void {
  checkTls(config);
  checkWrites(config);
  checkListen(config);
  checkDns(config);
}

function checkTls({ tlsCertFile, tlsKeyFile, tlsClientCaFile, tlsClientNames }: Serving): void {
  if (tlsCertFile !== undefined && tlsKeyFile === undefined) {
    throw usage('--tls-cert-file is given without --tls-key-file, expected the file with its key');
  }
  if (tlsKeyFile !== undefined && tlsCertFile === undefined) {
    throw usage('--tls-key-file is given without --tls-cert-file, expected the file with its certificate');
  }
  if (tlsClientCaFile !== undefined && tlsCertFile === undefined) {
    throw usage(
      '--tls-client-ca-file is given without --tls-cert-file and --tls-key-file: client certificates need TLS',
    );
  }
  if (tlsClientNames !== undefined && tlsClientCaFile === undefined) {
    throw usage(
      '--tls-client-names is given without --tls-client-ca-file, expected the file with the authorities of these clients',
    );
  }
}

function checkWrites({ allowWrites, writeTokenFile, tlsClientCaFile, source }: Serving): void {
  if (!allowWrites) return;
  if (writeTokenFile === undefined && tlsClientCaFile === undefined) {
    throw usage(
      '--allow-writes is given without --write-token-file, expected a file with a token (or --tls-client-ca-file, for clients with certificates)',
    );
  }
  if (source.filter(({ kind }) => kind === 'marathon').length !== 1) {
    throw usage('--allow-writes needs exactly one --source marathon=URL, to which apps are written');
  }
}

/** Beyond loopback TLS and credentials are required: the API reveals addresses, apps and problems, and can write. */
function checkListen({ listen, tlsCertFile, readTokenFile, tlsClientCaFile }: Serving): void {
  if (listen === null || isLoopback(listen.address)) return;
  const missing = [
    ...(tlsCertFile === undefined ? ['--tls-cert-file and --tls-key-file'] : []),
    ...(readTokenFile === undefined && tlsClientCaFile === undefined
      ? ['--read-token-file (or --tls-client-ca-file, for clients with certificates)']
      : []),
  ];
  if (missing.length === 0) return;
  throw usage(
    `--listen ${endpointKey(listen)}: beyond this host the page and the API are served over TLS only, to clients with a token or a certificate; missing: ${missing.join(', and ')}. Without them give --metrics-listen that address for metrics and health, and reach the page by \`ssh -L 61421:127.0.0.1:61421 HOST\``,
  );
}

/** A named VIP could get the address of our own name server, and its IPVS service would take the DNS queries of this host. */
function checkDns({ dnsListen, listen, poolIpv4, poolIpv6 }: Serving): void {
  for (const server of dnsListen) {
    const given = `--dns-listen ${endpointKey(server)}`;
    for (const [option, network] of [
      ['--pool-ipv4', poolIpv4],
      ['--pool-ipv6', poolIpv6],
    ] as const) {
      const pool = network === null ? null : parsePool(network);
      if (pool !== null && inPool(pool, server.address))
        throw usage(`${given} lies in ${option} ${network}, expected an address that no named VIP can get`);
    }
    if (listen !== null && listen.port !== 0 && endpointKey(listen) === endpointKey(server))
      throw usage(`${given} and --listen are the same address and port, expected different ports`);
  }
}
