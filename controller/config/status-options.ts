/** The options of `status`, and of `doctor` where it asks the running controller. */

import { option, truth, WRITES_APPS, withDefault, withoutDefault } from './option.ts';
import { parseServer } from './values.ts';

export const statusOptions = {
  server: withoutDefault(
    option(parseServer, {
      group: 'Status',
      value: 'URL',
      accepted: 'http://HOST:PORT or https://HOST:PORT, without credentials and query',
      description: 'Controller to ask, where it is not the one at `--listen` of this host.',
      commands: ['status', 'doctor', ...WRITES_APPS],
    }),
  ),
  watch: withDefault(
    truth({
      group: 'Status',
      description: 'Print the status anew every two seconds, until Ctrl-C.',
      commands: ['status'],
    }),
    'false',
  ),
};
