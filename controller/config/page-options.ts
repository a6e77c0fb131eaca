/** The options of what is served to whom, and of what the page may do. */

import { option, path, truth, withDefault, withoutDefault } from './option.ts';
import { parseListen } from './values.ts';

export const pageOptions = {
  metricsListen: withDefault(
    option(parseListen, {
      group: 'Process',
      value: 'ADDRESS:PORT|off',
      accepted: 'off or ADDRESS:PORT with an IP address, for example 0.0.0.0:61422',
      description:
        'Where metrics and health alone are served, also to other hosts; `--listen` serves them too.',
      commands: ['run'],
    }),
    'off',
  ),
  allowWrites: withDefault(
    truth({
      group: 'Process',
      description:
        'Let whoever has the token of --write-token-file create, change and remove apps at Marathon, over `/v1/apps` and the page.',
      commands: ['run'],
    }),
    'false',
  ),
  writeTokenFile: withoutDefault(
    path({
      group: 'Process',
      description:
        'File with the token that writing apps needs: at least 16 characters without blanks, for example from `openssl rand -hex 32`.',
      commands: ['run'],
    }),
  ),
};
