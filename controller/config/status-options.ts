/** The options of `status` and `health`, and of `doctor` where it asks the running controller. */

import { type CommandName, option, path, truth, WRITES_APPS, withDefault, withoutDefault } from './option.ts';
import { parseNetworkNamespace, parseServer } from './values.ts';

const ASKS: readonly CommandName[] = ['status', 'health', 'doctor', 'why', 'support-bundle', ...WRITES_APPS];

export const statusOptions = {
  server: withoutDefault(
    option(parseServer, {
      group: 'Status',
      value: 'URL',
      accepted: 'http://HOST:PORT or https://HOST:PORT, without credentials and query',
      description: 'Controller to ask, where it is not the one at `--listen` of this host.',
      commands: ASKS,
    }),
  ),
  serverTokenFile: withoutDefault(
    path({
      group: 'Status',
      description:
        'File with the token that the controller asks for. Without it and --server: that of --read-token-file.',
      commands: ASKS,
    }),
  ),
  serverCaFile: withoutDefault(
    path({
      group: 'Status',
      description:
        "PEM file with the authorities that sign the controller's certificate. Without it those of the system; without --server the certificate of --tls-cert-file itself.",
      commands: ASKS,
    }),
  ),
  serverCertFile: withoutDefault(
    path({
      group: 'Status',
      description:
        'PEM file with the certificate to show a controller that asks for one (--tls-client-ca-file).',
      commands: ASKS,
    }),
  ),
  serverKeyFile: withoutDefault(
    path({ group: 'Status', description: 'PEM file with the key of --server-cert-file.', commands: ASKS }),
  ),
  fromNetns: withoutDefault(
    option(parseNetworkNamespace, {
      group: 'Status',
      value: 'NAME|PATH',
      accepted: 'the name of a network namespace (ip netns) or its path, for example /proc/4242/ns/net',
      description:
        'Network namespace of the client whose way is walked, a container: its name servers are asked and its connections tried. Without it: those of this host.',
      commands: ['why'],
    }),
  ),
  watch: withDefault(
    truth({
      group: 'Status',
      description: 'Print the status anew every two seconds, until Ctrl-C.',
      commands: ['status'],
    }),
    'false',
  ),
  live: withDefault(
    truth({
      group: 'Status',
      description: 'Ask whether the loop moves (`/livez`); the default, unless --ready is given.',
      commands: ['health'],
    }),
    'false',
  ),
  ready: withDefault(
    truth({
      group: 'Status',
      description: 'Ask whether the sources were read and the kernel is as desired (`/readyz`).',
      commands: ['health'],
    }),
    'false',
  ),
};
