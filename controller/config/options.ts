/**
 * The one list of options, with their names, values, bounds, defaults and descriptions. Command line, environment, file, help,
 * validation and the reference page are derived from it.
 */

import { z } from 'zod';
import { appOptions } from './app-options.ts';
import { balanceOptions } from './balance-options.ts';
import { brakeOptions } from './brake-options.ts';
import { ejectOptions } from './eject-options.ts';
import { kubernetesOptions } from './kubernetes-options.ts';
import { nameOptions } from './name-options.ts';
import { nearnessOptions } from './nearness-options.ts';
import { netnsOptions } from './netns-options.ts';
import {
  APP_COMMANDS,
  type CommandName,
  choice,
  informationOf,
  type OptionInfo,
  option,
  path,
  switchOption,
  WRITES_APPS,
  withDefault,
  withoutDefault,
} from './option.ts';
import { outputOptions } from './output-options.ts';
import { pageOptions } from './page-options.ts';
import { sourceOptions } from './source-options.ts';
import { statusOptions } from './status-options.ts';
import { supportOptions } from './support-options.ts';
import { timeoutOptions } from './timeout-options.ts';
import { timingOptions } from './timing-options.ts';
import {
  parseAgainst,
  parseHostAddress,
  parseInterface,
  parseListen,
  parseNetwork,
  parseZone,
} from './values.ts';

const COMPARES: readonly CommandName[] = ['run', 'diff'];
/** The commands that compute the desired state from the sources. */
const DECIDES: readonly CommandName[] = [...COMPARES, 'why', 'support-bundle'];
const EVERY: readonly CommandName[] = [
  ...(['run', 'diff', 'status', 'connection', 'health', 'doctor', 'why'] as const),
  ...(['support-bundle', 'cleanup', 'relay'] as const),
  ...APP_COMMANDS,
];
const TOUCHES: readonly CommandName[] = ['run', 'diff', 'cleanup'];

/** Keys are the names in `Config`; `--resync-seconds`, MARATHON_IPVS_RESYNC_SECONDS and the file's `resync-seconds` derive from them. */
export const options = z.object({
  ...sourceOptions,
  ...kubernetesOptions,
  ...appOptions,

  against: withDefault(
    option(parseAgainst, {
      group: 'Diff',
      value: 'kernel|none|FILE',
      accepted: 'kernel, none or the path of a file',
      description:
        "What the diff is made against: the live kernel, an empty table, or a file with the output of `ipvsadm -Sn` (the last two need no privilege). Services of a file count as this controller's if they are in the pools, else as another program's, unless `--ledger` is given. Only with `diff` or `--dry-run`.",
      commands: COMPARES,
    }),
    'kernel',
  ),
  ...outputOptions,
  ...statusOptions,

  zone: withDefault(
    option(parseZone, {
      group: 'VIPs',
      value: 'ZONE',
      accepted:
        'a DNS zone of at most 125 characters: labels of letters, digits and inner hyphens, joined by dots',
      description: 'DNS zone of named VIPs.',
      commands: ['run', 'diff', 'connection', 'doctor', 'why', 'support-bundle', ...APP_COMMANDS],
    }),
    'l4lb.thisdcos.directory',
  ),
  poolIpv4: withDefault(
    option((text) => parseNetwork(text, { family: 'ipv4', shortest: 8, longest: 28 }), {
      group: 'VIPs',
      value: 'CIDR',
      accepted:
        'an IPv4 network with a prefix from /8 to /28 and no host bits, for example 11.0.0.0/8, not loopback, link-local or multicast',
      description: 'Network from which named VIPs get their IPv4 addresses.',
      commands: ['run', 'diff', 'doctor', 'why', 'support-bundle', ...APP_COMMANDS],
    }),
    '11.0.0.0/8',
  ),
  poolIpv6: withDefault(
    option(
      (text) => (text === 'none' ? null : parseNetwork(text, { family: 'ipv6', shortest: 32, longest: 120 })),
      {
        group: 'VIPs',
        value: 'CIDR|none',
        accepted:
          'none, or an IPv6 network with a prefix from /32 to /120 and no host bits, for example fd01:c::/64, not loopback, link-local or multicast',
        description: 'Network from which named VIPs get their IPv6 addresses; `none`: no IPv6 addresses.',
        commands: ['run', 'diff', 'doctor', 'why', 'support-bundle', ...APP_COMMANDS],
      },
    ),
    'fd01:c::/64',
  ),
  adopt: withDefault(
    switchOption({
      group: 'VIPs',
      description:
        "Take over another program's kernel services outside the pools if an app declares the same address and port; without it each is a conflict and left alone.",
      commands: DECIDES,
    }),
    'false',
  ),
  allowConnectedVips: withDefault(
    switchOption({
      group: 'VIPs',
      description:
        'Allow IP VIPs in networks that this host is connected to; without it such a VIP is rejected, since it may be the address of another host there.',
      commands: DECIDES,
    }),
    'false',
  ),

  defaultScheduler: balanceOptions.defaultScheduler,
  slowStartSeconds: balanceOptions.slowStartSeconds,
  ...brakeOptions,
  ...ejectOptions,
  trafficDistribution: nearnessOptions.trafficDistribution,
  ...nameOptions,

  interface: withDefault(
    option(parseInterface, {
      group: 'This host',
      value: 'NAME',
      accepted:
        'the name of an interface that only the controller uses: 1 to 15 letters, digits, dots, hyphens and underscores, not lo, all or default',
      description: 'Dummy interface with the VIP addresses; created if missing.',
      commands: ['run', 'diff', 'doctor', 'why', 'support-bundle', 'cleanup'],
    }),
    'vip0',
  ),
  hostAddress: withDefault(
    option(parseHostAddress, {
      group: 'This host',
      value: 'ADDRESS|auto',
      accepted: 'auto or an IP address, not loopback, link-local or multicast',
      description:
        "Source address that backends see of clients on this host; `auto`: the one of the interface towards the backend (with --packet-filter none: of this host's default route).",
      commands: ['run'],
    }),
    'auto',
  ),
  hostId: balanceOptions.hostId,
  nodeRegion: nearnessOptions.nodeRegion,
  nodeZone: nearnessOptions.nodeZone,
  nodeName: nearnessOptions.nodeName,
  localBackends: withDefault(
    choice(['container', 'host-port'], {
      group: 'This host',
      description:
        'How this host reaches its own containers that publish a host port: `container`: at their own address and port, if the source has them; `host-port`: like other hosts.',
      commands: DECIDES,
    }),
    'container',
  ),
  writeSysctls: withDefault(
    switchOption({
      group: 'This host',
      description:
        'Write kernel settings that forwarding needs and that differ; with `false` they are only reported.',
      commands: ['run'],
    }),
    'true',
  ),
  packetFilter: withDefault(
    choice(['nftables', 'none'], {
      group: 'This host',
      description:
        'Closes the other ports of VIPs, protects VIPs from DNAT rules of other programs, and translates source addresses where replies would not come back, all in the nftables table `inet marathon_ipvs`; `none`: none of this is done.',
      commands: ['run'],
    }),
    'nftables',
  ),
  ...timeoutOptions,
  ...netnsOptions,
  ledger: withDefault(
    path(
      {
        group: 'This host',
        description:
          'File that records which kernel services this controller owns. Must not survive a reboot.',
        commands: [...TOUCHES, 'why', 'support-bundle'],
      },
      'written',
    ),
    '/run/marathon-ipvs/ledger.json',
  ),
  stateDir: withDefault(
    path(
      {
        group: 'This host',
        description: 'Directory for the last good state of each source and the addresses of names.',
        commands: DECIDES,
      },
      'directory',
    ),
    '/var/lib/marathon-ipvs',
  ),

  ...timingOptions,

  once: withDefault(
    switchOption({ group: 'Process', description: 'Make one pass, then end.', commands: ['run'] }),
    'false',
  ),
  dryRun: withDefault(
    switchOption({
      group: 'Process',
      description: 'Print what would be done, and change nothing.',
      commands: ['run', 'cleanup'],
    }),
    'false',
  ),
  listen: withDefault(
    option(parseListen, {
      group: 'Process',
      value: 'ADDRESS:PORT|off',
      accepted: 'off or ADDRESS:PORT with an IP address, for example 127.0.0.1:61421 or [::1]:61421',
      description:
        'Address of health, metrics and the HTTP API; `status`, `doctor` and the commands that follow a deployment connect to it. Beyond loopback `run` needs --tls-cert-file, and --read-token-file or --tls-client-ca-file.',
      commands: ['run', 'relay', 'status', 'health', 'doctor', 'why', 'support-bundle', ...WRITES_APPS],
    }),
    '127.0.0.1:61421',
  ),
  ...pageOptions,
  ...supportOptions,
  logLevel: withDefault(
    choice(['debug', 'info', 'warn', 'error'], {
      group: 'Process',
      description: 'Minimum log level. The log goes to standard error as JSON lines.',
      commands: [...TOUCHES, 'relay'],
    }),
    'info',
  ),
  check: withDefault(
    switchOption({
      group: 'Process',
      description:
        'Check the options, the file of `--config` and the files that they name, then end: 0 if all of it is accepted. Neither sources nor the kernel are queried.',
      commands: ['run'],
    }),
    'false',
  ),
  config: withoutDefault(
    path(
      {
        group: 'Process',
        description:
          'YAML file with options, named without the leading dashes. All commands may share one file: each ignores the options of others. Aliases are refused, and anchors have no effect.',
        commands: EVERY,
      },
      'read once',
    ),
  ),
});

export type OptionName = keyof typeof options.shape;

/** The value of every option. */
export type OptionValues = Readonly<z.output<typeof options>>;

/** The names of all options, in the order of the help. */
export const optionNames = Object.keys(options.shape) as readonly OptionName[];

/** The description of an option, with its default as an operator would write it, or null. */
export function describeOption(name: OptionName): OptionInfo & { readonly fallback: string | null } {
  return informationOf(options.shape[name]);
}
