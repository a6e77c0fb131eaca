/** The options for the output format. */

import { APP_COMMANDS, choice, withDefault } from './option.ts';

export const outputOptions = {
  output: withDefault(
    choice(['text', 'wide', 'json', 'yaml', 'ipvsadm'], {
      group: 'Output',
      short: 'o',
      description:
        'Output format. `text` and `json`: every command; `ipvsadm`: lines of the diff that `ipvsadm -R` accepts; `wide` (each backend, or more columns): `status`, `app list` and `app show`; `yaml`: those, `doctor`, `why` and the commands that write apps. The default of `connection` is `json`.',
      commands: ['run', 'diff', 'status', 'connection', 'doctor', 'why', ...APP_COMMANDS],
    }),
    'text',
  ),
  color: withDefault(
    choice(['auto', 'always', 'never'], {
      group: 'Output',
      description: 'Colours in text; `auto`: on a terminal, unless NO_COLOR is set or TERM is dumb.',
      commands: ['run', 'diff', 'status', 'doctor', 'why'],
    }),
    'auto',
  ),
};
