/** The options of the brake that holds mass removals. */

import { truth, wholeNumber, withDefault } from './option.ts';

export const brakeOptions = {
  allowMassRemoval: withDefault(
    truth({
      group: 'VIPs',
      description:
        'Remove at once whatever the sources no longer list, however much. Without it a pass that would take away most of what this host forwards is held until the sources have said the same for a while, unless they said so of each task or app by name; with `--once` it is not done. It counts whether tasks are missing from a list or are all unreachable, staging or unhealthy in it, or have lost labels or health results, and whether the framework has another name.',
      commands: ['run', 'diff'],
    }),
    'false',
  ),
  massRemovalPercent: withDefault(
    wholeNumber('percent', 1, 100, {
      group: 'VIPs',
      description:
        'Percentage of the VIPs, or of the backends in rotation, that one pass may remove without a source naming them; more than that, and more than ten, is a mass removal. So is the removal of all VIPs, if there were two or more.',
      commands: ['run', 'diff'],
    }),
    '50',
  ),
  massRemovalHoldSeconds: withDefault(
    wholeNumber('seconds', 1, 86_400, {
      group: 'VIPs',
      description:
        'How long a mass removal is held. After that the sources are read again and, if they still agree, it is applied.',
      commands: ['run'],
    }),
    '60',
  ),
};
