/** The options of the HTTP server: TLS, tokens, and what clients may do. */

import {
  CONNECTS,
  type CommandName,
  option,
  path,
  switchOption,
  withDefault,
  withoutDefault,
} from './option.ts';
import { parseClientNames, parseListen } from './values.ts';

/** The controller, and the commands that connect to it, which find it by its own options. */
const USES_SERVER: readonly CommandName[] = ['run', ...CONNECTS];

export const pageOptions = {
  tlsCertFile: withoutDefault(
    path({
      group: 'Process',
      description:
        'PEM file with the certificate of `--listen` and its intermediate certificates; with it `--listen` uses TLS, 1.2 or newer. This and the other files with keys and tokens are read again when they change.',
      commands: USES_SERVER,
    }),
  ),
  tlsKeyFile: withoutDefault(
    path({
      group: 'Process',
      description: 'PEM file with the key of --tls-cert-file, without a passphrase.',
      commands: ['run'],
    }),
  ),
  tlsClientCaFile: withoutDefault(
    path({
      group: 'Process',
      description:
        'PEM file with certificate authorities of clients. A client of `--listen` with a certificate that one of them signed may read and, with --allow-writes, write without a token; one with neither may not read. --tls-client-names restricts this.',
      commands: ['run'],
    }),
  ),
  tlsClientNames: withoutDefault(
    option(parseClientNames, {
      group: 'Process',
      value: 'NAME[,NAME…]',
      accepted:
        'names joined by commas, each once and without blanks around it, for example operator,ci.example',
      description:
        "Client certificates that are accepted: those whose subject's common name, or one of whose DNS or URI alternative names, is one of these. With another one that --tls-client-ca-file signed, access is denied. Default: all are accepted.",
      commands: ['run'],
    }),
  ),
  readTokenFile: withoutDefault(
    path({
      group: 'Process',
      description:
        'File with the token that reading at `--listen` requires, in the format of --write-token-file. Beyond loopback `--listen` needs TLS, and this or --tls-client-ca-file.',
      commands: USES_SERVER,
    }),
  ),
  metricsListen: withDefault(
    option(parseListen, {
      group: 'Process',
      value: 'ADDRESS:PORT|off',
      accepted: 'off or ADDRESS:PORT with an IP address, for example 0.0.0.0:61422',
      description:
        'Address of metrics and health only, also for other hosts, without TLS and token; `--listen` serves them too.',
      commands: ['run'],
    }),
    'off',
  ),
  allowWrites: withDefault(
    switchOption({
      group: 'Process',
      description:
        'Allow clients with the token of --write-token-file, or a certificate of --tls-client-ca-file, to create, change and remove apps at Marathon, over `/v1/apps` and the page.',
      commands: ['run'],
    }),
    'false',
  ),
  writeTokenFile: withoutDefault(
    path({
      group: 'Process',
      description:
        'File with the token that writing apps requires: at least 16 characters, all printable ASCII without blanks, for example from `openssl rand -hex 32`.',
      commands: ['run'],
    }),
  ),
};
