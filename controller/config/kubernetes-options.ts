/** The options for access to a Kubernetes API server. */

import { APP_COMMANDS, option, switchOption, withDefault, withoutDefault } from './option.ts';
import { parseNamespace } from './values.ts';

export const kubernetesOptions = {
  kubernetesNamespace: withoutDefault(
    option(parseNamespace, {
      group: 'Sources',
      value: 'NAME',
      accepted: 'a namespace: letters, digits and inner hyphens, at most 63 characters',
      description:
        'Namespace whose MarathonApps are read, or in which `relay`, `app add` and `pod add` write them. Default: all namespaces are read; objects are written to the namespace of the pod or of the context.',
      commands: ['run', 'diff', 'relay', ...APP_COMMANDS],
    }),
  ),
  relayName: withDefault(
    option(parseNamespace, {
      group: 'Sources',
      value: 'NAME',
      accepted: 'letters, digits and inner hyphens, at most 63 characters',
      description:
        'Name of this relay, which marks its objects: only objects with this name are changed or removed.',
      commands: ['relay'],
    }),
    'default',
  ),
  kubernetesStatus: withDefault(
    switchOption({
      group: 'Sources',
      description:
        'Take part in the election of the one host that writes the status of MarathonApps, from its own kernel. Only with `kubernetes`.',
      commands: ['run'],
    }),
    'true',
  ),
};
