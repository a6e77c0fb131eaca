/** The options of the brake that holds mass removals. */

import { truth, wholeNumber, withDefault } from './option.ts';

export const brakeOptions = {
  allowMassRemoval: withDefault(
    truth({
      group: 'VIPs',
      description:
        'Take away at once whatever the sources no longer speak for, however much. Without it a pass that would take away most of what this host forwards is held until the sources have said the same for a while, unless they said so of each task or app by name; with `--once` it is not done. It counts whether tasks are missing from a list or are all unreachable, staging or unhealthy in it, or have lost labels or health results, and whether the framework has another name.',
      commands: ['run', 'diff'],
    }),
    'false',
  ),
  massRemovalPercent: withDefault(
    wholeNumber('percent', 1, 100, {
      group: 'VIPs',
      description:
        'Share of the VIPs, or of the backends in rotation, that may go in one pass without being named; more than that, and more than ten, is a mass removal. So is all of them where there were two VIPs or more.',
      commands: ['run', 'diff'],
    }),
    '50',
  ),
  massRemovalHoldSeconds: withDefault(
    wholeNumber('seconds', 1, 86_400, {
      group: 'VIPs',
      description:
        'How long a mass removal is held before the sources are asked again and, if they say the same, let go.',
      commands: ['run'],
    }),
    '60',
  ),
};
