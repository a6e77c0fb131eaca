/** The options of the mass-removal brake. */

import { switchOption, wholeNumber, withDefault } from './option.ts';

export const brakeOptions = {
  allowMassRemoval: withDefault(
    switchOption({
      group: 'VIPs',
      description:
        'Remove at once whatever the sources no longer list, however much. Without it a pass that would remove most of what this host forwards is held until the sources have reported the same for a while; with `--once` it is not made. A mass removal may come from tasks that are missing from a list, that are all unreachable, staging or unhealthy, that have lost labels or health results, or from another framework name. Tasks and apps whose end a source reports by name are never held.',
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
