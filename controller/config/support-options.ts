/** The options of `support-bundle` alone. */

import { path, withoutDefault } from './option.ts';

export const supportOptions = {
  out: withoutDefault(
    path(
      {
        group: 'Process',
        description:
          'File that the bundle is written to, one that is not there yet. Without it: a name with host and time, in the current directory.',
        commands: ['support-bundle'],
      },
      'written',
    ),
  ),
};
