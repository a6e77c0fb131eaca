/** The options for intervals and time limits. */

import { wholeNumber, withDefault } from './option.ts';

/** The options of the section Timing. */
export const timingOptions = {
  resyncSeconds: withDefault(
    wholeNumber('seconds', 1, 86_400, {
      group: 'Timing',
      description: "How often the kernel's whole table is read and corrected.",
      commands: ['run'],
    }),
    '30',
  ),
  relistSeconds: withDefault(
    wholeNumber('seconds', 10, 86_400, {
      group: 'Timing',
      description: 'How often a source is read in full, in addition to its events.',
      commands: ['run', 'relay'],
    }),
    '300',
  ),
  settleMs: withDefault(
    wholeNumber('milliseconds', 0, 10_000, {
      group: 'Timing',
      description:
        'How long, at most, changes are collected after a pass before the next one. Later changes start a pass at once.',
      commands: ['run', 'relay'],
    }),
    '20',
  ),
  sourceTimeoutSeconds: withDefault(
    wholeNumber('seconds', 1, 600, {
      group: 'Timing',
      description: 'Time limit for one answer of a source.',
      commands: ['run', 'diff', 'connection', 'relay'],
    }),
    '10',
  ),
  sourceSilenceSeconds: withDefault(
    wholeNumber('seconds', 5, 3_600, {
      group: 'Timing',
      description: 'How long an event stream may be silent before it is reopened.',
      commands: ['run', 'relay'],
    }),
    '60',
  ),
};
