/** The options of what talks to a Kubernetes API server. */

import { option, withoutDefault } from './option.ts';
import { parseNamespace } from './values.ts';

export const kubernetesOptions = {
  kubernetesNamespace: withoutDefault(
    option(parseNamespace, {
      group: 'Sources',
      value: 'NAME',
      accepted: 'a namespace: letters, digits and inner hyphens, at most 63 characters',
      description: 'Namespace whose MarathonApps are read. Without it: those of all namespaces.',
      commands: ['run', 'diff'],
    }),
  ),
};
