import type { CommandName } from './option.ts';

/** An argument of a command. */
export interface ArgumentInfo {
  /** How help shows it: `[name]`, `<id>`, `[change...]`. */
  readonly shown: string;
  readonly description: string;
  /** What shell completion offers for it. */
  readonly kind: 'file' | 'vip' | 'app' | 'text' | readonly string[];
}

const FILE: ArgumentInfo = {
  shown: '[file]',
  description:
    'JSON file with the definition (with --kubernetes also YAML, or a MarathonApp); - or none: standard input',
  kind: 'file',
};
const APP_ID: ArgumentInfo = { shown: '<id>', description: 'id of the app, /group/web', kind: 'app' };

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export const commandArguments: ReadonlyMap<CommandName, readonly ArgumentInfo[]> = new Map([
  [
    'status',
    [
      {
        shown: '[name]',
        description:
          'only this VIP, with every backend: its name, DNS name or address, with or without :PORT, or an app; * matches any characters',
        kind: 'vip',
      },
    ],
  ],
  [
    'why',
    [
      {
        shown: '<vip>',
        description: 'NAME[:PORT][/udp]: its name, DNS name or address, or an app; without PORT every port',
        kind: 'vip',
      },
    ],
  ],
  [
    'connection',
    [
      { shown: '[service]', description: 'name of a framework: kafka', kind: 'text' },
      {
        shown: '[endpoint]',
        description: 'name of one of its VIPs, with or without :PORT: broker',
        kind: 'text',
      },
    ],
  ],
  ['app add', [FILE]],
  [
    'app update',
    [
      APP_ID,
      {
        shown: '[change...]',
        description:
          'KEY=VALUE… (instances=3, VALUE as JSON or text), or a JSON file with the fields that change (with --kubernetes also YAML, or a MarathonApp); - or none: standard input',
        kind: 'file',
      },
    ],
  ],
  ['app remove', [APP_ID]],
  ['app show', [APP_ID]],
  ['pod add', [FILE]],
  ['completion', [{ shown: '<shell>', description: `one of ${SHELLS.join(', ')}`, kind: SHELLS }]],
]);
