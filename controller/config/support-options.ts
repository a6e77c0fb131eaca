/** The options of `support-bundle` alone. */

import { path, withoutDefault } from './option.ts';

export const supportOptions = {
  out: withoutDefault(
    path(
      {
        group: 'Process',
        description:
          'File to write the bundle to; it must not exist. Default: a name with host and time, in the current directory.',
        commands: ['support-bundle'],
      },
      'written',
    ),
  ),
};
