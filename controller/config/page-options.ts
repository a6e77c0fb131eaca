/** The options of what the page may do. */

import { path, truth, withDefault, withoutDefault } from './option.ts';

export const pageOptions = {
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
