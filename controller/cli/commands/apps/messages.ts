import type { ForecastVip } from '../../../desired/forecast.ts';
import type { Rejection } from '../../../model/app.ts';
import type { WriteRefused } from '../../../model/app-writes.ts';
import { endpointKey } from '../../../model/endpoint.ts';
import type { Clock } from '../../../ports.ts';
import { type Column, table } from '../../../text/table.ts';
import { quoted, visible } from '../../../text/visible.ts';
import type { Printer } from '../../terminal.ts';

/** The ports of an app command. */
export interface AppPorts extends Pick<Printer, 'print' | 'printError' | 'progress' | 'layout'> {
  /** Reads all of standard input. Rejects with a `ControllerError` if that is a terminal, or is too large. */
  readonly readInput: () => Promise<Uint8Array>;
  /** Reads a file or pipe. Rejects with a `ControllerError` if it cannot be read, or is too large. */
  readonly readInputFile: (path: string) => Promise<Uint8Array>;
  readonly clock: Clock;
}

/** A table of the VIPs, or a line that says there are none. */
export function vipsText(vips: readonly ForecastVip[], { layout }: AppPorts): string {
  if (vips.length === 0) return 'no VIP: none of its ports has a label VIP_0 = /NAME:PORT\n';
  const rows = vips.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return `${table(rows, VIP_COLUMNS, layout()).join('\n')}\n`;
}

const VIP_COLUMNS: readonly Column<ForecastVip>[] = [
  { title: 'VIP', text: vipName },
  { title: 'ADDRESS', text: addressText },
  { title: 'IPV6', text: ({ ipv6 }) => ipv6 ?? '-', priority: 1 },
  { title: 'SHARED WITH', text: ({ sharedWith }) => sharedWith.join(',') || '-', priority: 3 },
  { title: 'FROM', text: ({ at }) => at, priority: 2 },
];

/** `my-service.marathon.l4lb.thisdcos.directory:5555`; address and port of an IP VIP. */
export function vipName({ fqdn, port, ipv4, ipv6 }: ForecastVip): string {
  return fqdn === null ? endpointKey({ address: ipv4 ?? ipv6 ?? '', port }) : `${fqdn}:${port}`;
}

function addressText({ ipv4, ipv6, port, protocol }: ForecastVip): string {
  const address = ipv4 ?? ipv6;
  return address === null ? '-' : `${endpointKey({ address, port })}/${protocol}`;
}

/** `/web: portDefinitions[0].labels.VIP_0 = "web": expected NAME:PORT or IP:PORT`. */
export function mistakeText({ app, at, value, reason }: Rejection): string {
  const where = at === '' ? app : `${app}: ${at}`;
  return visible(value === '' ? `${where}: ${reason}` : `${where} = ${quoted(value)}: ${reason}`);
}

/** Why Marathon refused a write, and what to do, one line each. */
export function refusalLines(what: string, refused: WriteRefused): readonly string[] {
  const { why, message, deployments, details } = refused;
  const errorLines = details.map(({ at, errors }) => `  ${at === '' ? '' : `${at}: `}${errors.join('; ')}`);
  switch (why) {
    case 'locked': {
      const by = deployments.length === 0 ? '' : ` ${deployments.join(', ')}`;
      return [
        `${what}: a running deployment locks it:${by}; wait for its end, or cancel it with --force (it stays as far as it got)`,
      ];
    }
    case 'exists':
      return [`${what}: ${message} app update changes it`];
    case 'absent':
      return [`${what}: ${message}`];
    case 'busy':
      return [`${what}: ${message} Wait for some of them, or cancel those that lock this one with --force`];
    case 'forbidden':
      return [`${what}: ${message}; access denied: these credentials lack the permission`];
    case 'invalid':
      return [`${what}: Marathon rejected the definition: ${message}`, ...errorLines];
  }
}
