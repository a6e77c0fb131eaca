/** The options of the commands that connect to a running controller. */

import { CONNECTS, option, path, switchOption, withDefault, withoutDefault } from './option.ts';
import { parseNetworkNamespace, parseServer } from './values.ts';

export const statusOptions = {
  server: withoutDefault(
    option(parseServer, {
      group: 'Status',
      value: 'URL',
      accepted: 'http://HOST:PORT or https://HOST:PORT, without credentials and query',
      description: 'URL of the controller, if not the one at `--listen` of this host.',
      commands: CONNECTS,
    }),
  ),
  serverTokenFile: withoutDefault(
    path({
      group: 'Status',
      description:
        'File with the token that the controller requires. Default, without --server: that of --read-token-file.',
      commands: CONNECTS,
    }),
  ),
  serverCaFile: withoutDefault(
    path({
      group: 'Status',
      description:
        'PEM file with the certificate authorities for the controller. Default: those of the system; without --server the certificate of --tls-cert-file itself.',
      commands: CONNECTS,
    }),
  ),
  serverCertFile: withoutDefault(
    path({
      group: 'Status',
      description:
        'PEM file with the client certificate for a controller that requires one (--tls-client-ca-file).',
      commands: CONNECTS,
    }),
  ),
  serverKeyFile: withoutDefault(
    path({
      group: 'Status',
      description: 'PEM file with the key of --server-cert-file.',
      commands: CONNECTS,
    }),
  ),
  fromNetns: withoutDefault(
    option(parseNetworkNamespace, {
      group: 'Status',
      value: 'NAME|PATH',
      accepted: 'the name of a network namespace (ip netns) or its path, for example /proc/4242/ns/net',
      description:
        'Network namespace of the client, a container: its name servers are queried and its connections tried. Default: those of this host.',
      commands: ['why'],
    }),
  ),
  watch: withDefault(
    switchOption({
      group: 'Status',
      description: 'Print the status every two seconds, until Ctrl-C.',
      commands: ['status'],
    }),
    'false',
  ),
  live: withDefault(
    switchOption({
      group: 'Status',
      description: 'Check whether the loop runs (`/livez`); the default without --ready.',
      commands: ['health'],
    }),
    'false',
  ),
  ready: withDefault(
    switchOption({
      group: 'Status',
      description: 'Check whether the sources were read and the kernel is as desired (`/readyz`).',
      commands: ['health'],
    }),
    'false',
  ),
};
