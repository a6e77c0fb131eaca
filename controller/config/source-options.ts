/** The options for the sources of apps, and for access to them. */

import { z } from 'zod';
import {
  APP_COMMANDS,
  type CommandName,
  described,
  type OptionInfo,
  option,
  path,
  withoutDefault,
} from './option.ts';
import { hasCredentials, parseFramework, parseSource } from './values.ts';

/** The commands that read sources. */
const READS: readonly CommandName[] = [
  'run',
  'diff',
  'connection',
  'relay',
  'why',
  'support-bundle',
  ...APP_COMMANDS,
];

const SOURCE: OptionInfo = {
  group: 'Sources',
  value: 'KIND=WHERE',
  repeatable: true,
  accepted:
    'marathon=URL[,URL…] or mesos=URL[,URL…] (http or https; equal masters, each once, without query), mesos-agent=URL, file=PATH (a JSON file or a directory of them) or kubernetes[=CONTEXT]',
  description:
    'Source of apps; may be repeated. `marathon=http://HOST:PORT` and `mesos=http://HOST:PORT` take a comma-separated list of equal masters; `mesos-agent=http://HOST:PORT` is one agent, which only knows its own tasks; `file=PATH` is a JSON file, or a directory of them, in any format that Marathon returns or accepts, or with Mesos data; `kubernetes` means the MarathonApps of the cluster of KUBECONFIG or of the pod that it runs in.',
  commands: READS,
};

const source = z
  .string()
  .refine((text) => !hasCredentials(text), {
    error:
      'credentials do not belong in a URL; put user:password in a file for --marathon-user-file or --mesos-user-file',
    abort: true,
  })
  .pipe(option(parseSource, SOURCE).schema);

/** As in `options.ts`, of which these are a part. */
export const sourceOptions = {
  source: described(z.array(source).prefault([]), SOURCE),
  framework: withoutDefault(
    option(parseFramework, {
      group: 'Sources',
      value: 'NAME',
      accepted: 'a name with at least one letter or digit, of at most 255 characters',
      description:
        "Framework in the names of VIPs. Default: the one in Marathon's /v2/info, `marathon` for files. Mesos names the framework of each task itself.",
      commands: READS,
    }),
  ),
  marathonUserFile: withoutDefault(
    path({
      group: 'Sources',
      description: 'File with `user:password` for basic authentication at Marathon.',
      commands: READS,
    }),
  ),
  marathonTokenFile: withoutDefault(
    path({ group: 'Sources', description: 'File with a DC/OS authentication token.', commands: READS }),
  ),
  marathonCaFile: withoutDefault(
    path({
      group: 'Sources',
      description: 'PEM file with the certificate authorities for Marathon.',
      commands: READS,
    }),
  ),
  mesosUserFile: withoutDefault(
    path({
      group: 'Sources',
      description: 'File with `principal:secret` for basic authentication at Mesos.',
      commands: READS,
    }),
  ),
  mesosTokenFile: withoutDefault(
    path({
      group: 'Sources',
      description: 'File with a DC/OS authentication token for Mesos; may be the one for Marathon.',
      commands: READS,
    }),
  ),
  mesosCaFile: withoutDefault(
    path({
      group: 'Sources',
      description: 'PEM file with the certificate authorities for Mesos.',
      commands: READS,
    }),
  ),
};
