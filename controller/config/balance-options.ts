/** How connections are spread over the backends of a VIP. */

import { SCHEDULERS } from '../schedulers.ts';
import { MOST_SLOW_START_SECONDS } from '../slow-start.ts';
import { choice, option, wholeNumber, withDefault } from './option.ts';
import { parseHostId } from './values.ts';

export const balanceOptions = {
  defaultScheduler: withDefault(
    choice(SCHEDULERS, {
      group: 'VIPs',
      description:
        'Kernel scheduler of VIPs without the label `IPVS_SCHEDULER`. Where the kernel lacks it they get `wlc`, with a warning.',
      commands: ['run', 'diff', 'doctor', 'why', 'support-bundle'],
    }),
    'wlc',
  ),
  slowStartSeconds: withDefault(
    wholeNumber('seconds', 0, MOST_SLOW_START_SECONDS, {
      group: 'VIPs',
      description:
        'For how long a backend that comes into the rotation of a VIP grows from a tenth to its weight, in VIPs without the label `IPVS_SLOW_START_SECONDS`; 0: it has its weight at once. VIPs whose scheduler does not share connections by weight have none of it.',
      commands: ['run', 'diff', 'why'],
    }),
    '0',
  ),
  hostId: withDefault(
    option(parseHostId, {
      group: 'This host',
      value: 'TEXT|auto',
      accepted: 'auto or a text of 1 to 255 characters, none of them a blank or a control character',
      description:
        'What tells this host from all others: it decides in which order backends are added, so that hosts do not all choose the same one among equals. `auto`: its name and the address of the interface of its default route.',
      commands: ['run', 'diff'],
    }),
    'auto',
  ),
};
