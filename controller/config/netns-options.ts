/** The options for VIPs in other network namespaces of this host. */

import { option, withoutDefault } from './option.ts';
import { parseFileName, parsePath } from './values.ts';

export const netnsOptions = {
  netnsDir: withoutDefault(
    option(parsePath, {
      group: 'This host',
      value: 'PATH',
      accepted: 'the path of a directory',
      description:
        "Directory with a file for each network namespace that gets the same VIPs as this host: the file is a namespace, as `ip netns` makes them, or has the path of one in it, as those of DC/OS's CNI plugin `l4lb` do (`/var/run/dcos/cni/l4lb`). Also needs CAP_SYS_ADMIN.",
      commands: ['run', 'diff', 'doctor', 'cleanup', 'why'],
    }),
  ),
  netns: withoutDefault(
    option(parseFileName, {
      group: 'This host',
      value: 'NAME',
      accepted: 'the name of a file in the directory of --netns-dir',
      description:
        'Work in the network namespace of the file with this name in the directory of `--netns-dir`, with its ledger, instead of the current one. `status` queries the controller for it, and does not need `--netns-dir`.',
      commands: ['diff', 'cleanup', 'doctor', 'why', 'status'],
    }),
  ),
};
