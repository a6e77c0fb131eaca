/** How connections are spread over the backends of a VIP. */

import { SCHEDULERS } from '../settings/schedulers.ts';
import { MAX_SLOW_START_SECONDS } from '../settings/slow-start.ts';
import { choice, option, wholeNumber, withDefault } from './option.ts';
import { parseHostId } from './values.ts';

export const balanceOptions = {
  defaultScheduler: withDefault(
    choice(SCHEDULERS, {
      group: 'VIPs',
      description:
        'Kernel scheduler of VIPs without the label `IPVS_SCHEDULER`. If the kernel lacks it, they get `wlc`, with a warning.',
      commands: ['run', 'diff', 'doctor', 'why', 'support-bundle'],
    }),
    'wlc',
  ),
  slowStartSeconds: withDefault(
    wholeNumber('seconds', 0, MAX_SLOW_START_SECONDS, {
      group: 'VIPs',
      description:
        'Slow start of VIPs without the label `IPVS_SLOW_START_SECONDS`: how long a backend that comes into rotation takes to grow from a tenth to its full weight; 0: full weight at once. It needs a scheduler that distributes connections by weight.',
      commands: ['run', 'diff', 'why'],
    }),
    '0',
  ),
  hostId: withDefault(
    option(parseHostId, {
      group: 'This host',
      value: 'TEXT|auto',
      accepted: 'auto or a text of 1 to 255 characters, without blanks and control characters',
      description:
        'Identity of this host, unique among all hosts. It determines the order in which backends are added, so that hosts do not all choose the same one among equals. `auto`: the host name and the address of the interface of the default route.',
      commands: ['run', 'diff'],
    }),
    'auto',
  ),
};
