/** The options of what talks to a Kubernetes API server. */

import { APP_COMMANDS, option, truth, withDefault, withoutDefault } from './option.ts';
import { parseNamespace } from './values.ts';

export const kubernetesOptions = {
  kubernetesNamespace: withoutDefault(
    option(parseNamespace, {
      group: 'Sources',
      value: 'NAME',
      accepted: 'a namespace: letters, digits and inner hyphens, at most 63 characters',
      description:
        'Namespace whose MarathonApps are read, or in which `relay`, `app add` and `pod add` write them. Without it: all namespaces; what writes takes its own, or that of the context.',
      commands: ['run', 'diff', 'relay', ...APP_COMMANDS],
    }),
  ),
  relayName: withDefault(
    option(parseNamespace, {
      group: 'Sources',
      value: 'NAME',
      accepted: 'letters, digits and inner hyphens, at most 63 characters',
      description:
        'Tells the objects of this relay from those of others in its namespace; only those that bear its name are changed or removed.',
      commands: ['relay'],
    }),
    'default',
  ),
  kubernetesStatus: withDefault(
    truth({
      group: 'Sources',
      description:
        'Stand for election as the one host that writes the status of MarathonApps, of what its own kernel has. Only with `kubernetes`.',
      commands: ['run'],
    }),
    'true',
  ),
};
