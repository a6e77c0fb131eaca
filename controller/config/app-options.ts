/** The options of the app commands, which work at Marathon or in a Kubernetes cluster. */

import { z } from 'zod';
import {
  APP_COMMANDS,
  described,
  option,
  switchOption,
  WRITES_APPS,
  wholeNumber,
  withDefault,
  withoutDefault,
} from './option.ts';
import { hasCredentials, parseEndpoints, parseMarathon } from './values.ts';

const MARATHON = {
  group: 'Apps',
  value: 'URL[,URL…]',
  accepted: 'http or https URLs of equal masters, each once, without query',
  description: 'Marathon to connect to, if not the one of `--source marathon=…`.',
  commands: APP_COMMANDS,
} as const;

export const appOptions = {
  marathon: described(
    z
      .string()
      .refine((text) => !hasCredentials(text), {
        error: 'credentials do not belong in a URL; put user:password in a file for --marathon-user-file',
        abort: true,
      })
      .pipe(option(parseMarathon, MARATHON).schema)
      .optional(),
    MARATHON,
  ),
  kubernetes: withDefault(
    switchOption({
      group: 'Apps',
      description:
        'Work on the MarathonApps of a Kubernetes cluster: the one of `--source kubernetes[=CONTEXT]`, else of KUBECONFIG or of the pod. Not needed if the sources name a cluster and no Marathon.',
      commands: APP_COMMANDS,
    }),
    'false',
  ),
  endpoints: withoutDefault(
    option(parseEndpoints, {
      group: 'Apps',
      value: 'SERVICE|KEY=VALUE[,…]',
      accepted: 'the name of a Service, or labels of EndpointSlices as KEY=VALUE,KEY=VALUE',
      description:
        'Backends of an app in Kubernetes, `spec.endpoints` of its MarathonApp: the EndpointSlices of a Service in its namespace, or those with these labels. Not with a manifest, which contains them.',
      commands: ['app add', 'app update', 'pod add'],
    }),
  ),
  force: withDefault(
    switchOption({
      group: 'Apps',
      description:
        'At Marathon: cancel the running deployments that lock the app or pod. In Kubernetes: also overwrite what a relay, or someone else in the meantime, has written.',
      commands: WRITES_APPS,
    }),
    'false',
  ),
  wait: withDefault(
    switchOption({
      group: 'Apps',
      description:
        'Wait until the deployment has finished; in Kubernetes, until the elected controller has programmed or rejected it.',
      commands: WRITES_APPS,
    }),
    'true',
  ),
  progressDeadlineSeconds: withDefault(
    wholeNumber('seconds', 0, 86_400, {
      group: 'Apps',
      description:
        'Stop waiting, with exit status 1, after this long without progress, like the progress deadline of a Kubernetes Deployment; the deployment continues. 0: wait without limit.',
      commands: WRITES_APPS,
    }),
    '600',
  ),
};
