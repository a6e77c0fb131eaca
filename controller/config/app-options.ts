/** The options of the commands that speak with Marathon for a person. */

import { z } from 'zod';
import { APP_COMMANDS, described, option, truth, WRITES_APPS, withDefault } from './option.ts';
import { hasCredentials, parseMarathon } from './values.ts';

const MARATHON = {
  group: 'Apps',
  value: 'URL[,URL…]',
  accepted: 'http or https URLs of equal masters, each once, without query',
  description: 'Marathon to speak with, where it is not the one of `--source marathon=…`.',
  commands: APP_COMMANDS,
} as const;

export const appOptions = {
  marathon: described(
    z
      .string()
      .refine((text) => !hasCredentials(text), {
        error: 'credentials do not belong in a URL; put user:password in a file for --marathon-user-file',
        abort: true,
      })
      .pipe(option(parseMarathon, MARATHON).schema)
      .optional(),
    MARATHON,
  ),
  force: withDefault(
    truth({
      group: 'Apps',
      description: 'Cancel the running deployments that lock the app or pod.',
      commands: WRITES_APPS,
    }),
    'false',
  ),
  wait: withDefault(
    truth({
      group: 'Apps',
      description: 'Follow the deployment until it is over.',
      commands: WRITES_APPS,
    }),
    'true',
  ),
};
