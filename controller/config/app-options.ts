/** The options of the commands that speak with Marathon, or a Kubernetes cluster, for a person. */

import { z } from 'zod';
import {
  APP_COMMANDS,
  described,
  option,
  truth,
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
  description: 'Marathon to speak with, where it is not the one of `--source marathon=…`.',
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
    truth({
      group: 'Apps',
      description:
        'Speak with a Kubernetes cluster, whose MarathonApps are the apps: that of `--source kubernetes[=CONTEXT]` where it is given, else that of KUBECONFIG or of the pod. Not needed where sources name a cluster and no Marathon.',
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
        'Where the backends of an app in Kubernetes are, `spec.endpoints` of its MarathonApp: the EndpointSlices of a Service of its namespace, or those that have these labels. A manifest says so itself.',
      commands: ['app add', 'app update', 'pod add'],
    }),
  ),
  force: withDefault(
    truth({
      group: 'Apps',
      description:
        'At Marathon: cancel the running deployments that lock the app or pod. In Kubernetes: also change what a relay has written, or someone else meanwhile.',
      commands: WRITES_APPS,
    }),
    'false',
  ),
  wait: withDefault(
    truth({
      group: 'Apps',
      description:
        'Follow the deployment until it is over; in Kubernetes, until the elected controller has programmed or rejected it.',
      commands: WRITES_APPS,
    }),
    'true',
  ),
  progressDeadlineSeconds: withDefault(
    wholeNumber('seconds', 0, 86_400, {
      group: 'Apps',
      description:
        'Give up following, with exit status 1, once nothing has moved for this long, as of the progress deadline of a Kubernetes Deployment; what was sent goes on. 0: follow for ever.',
      commands: WRITES_APPS,
    }),
    '600',
  ),
};
