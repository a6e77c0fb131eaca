/** How connections are spread over the backends of a VIP. */

import { SCHEDULERS } from '../settings.ts';
import { choice, option, withDefault } from './option.ts';
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
