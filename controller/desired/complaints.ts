import { parseAddress } from '../address.ts';
import type { App, Port, Rejection } from '../model.ts';
import type { PortReading } from './port-reading.ts';

/** What is to be told to an app's author. */
export interface Complaints {
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

const LONGEST_VALUE = 100;

/** What is wrong with the labels of one port of the newest definition. A port without VIP label is not looked at. */
export function complaintsAbout(app: App, port: Port, reading: PortReading): Complaints {
  if (reading.vips.length === 0) return NONE;
  const rejected: Rejection[] = [];
  const warnings: string[] = [];

  for (const { at, text, problem, insteadText } of reading.vips) {
    if (problem === null) {
      if (isAddressAfterSlash(text)) {
        warnings.push(`${app.id} ${at}: "${text}" is a name; for the address write it without the slash`);
      }
      continue;
    }
    if (problem.ignored) warnings.push(`${app.id} ${at}: "${shorten(text)}" is ignored: ${problem.reason}`);
    else rejected.push({ app: app.id, at, value: shorten(text), reason: problem.reason });
    if (insteadText !== null) {
      warnings.push(
        `${app.id} ${at}: "${shorten(text)}" is not valid, so the VIP stays what it was: ${insteadText}`,
      );
    }
  }
  for (const { key, value, reason } of reading.options.problems) {
    rejected.push({ app: app.id, at: `${port.at}.labels.${key}`, value: shorten(value), reason });
  }
  for (const protocol of reading.otherProtocols) {
    warnings.push(`${app.id} ${port.at}: no VIP for protocol "${shorten(protocol)}", only for tcp and udp`);
  }
  // Marathon announces an endpoint once per protocol, so one without any was no VIP on DC/OS either.
  if (reading.protocols.length === 0 && reading.otherProtocols.length === 0) {
    warnings.push(`${app.id} ${port.at}: no VIP, because the port has no protocol`);
  }
  return { rejected, warnings };
}

const NONE: Complaints = { rejected: [], warnings: [] };

/** dcos-net takes `/10.1.2.3:80` for a name, which is seldom what its author meant. */
function isAddressAfterSlash(text: string): boolean {
  return text.startsWith('/') && parseAddress(text.slice(1, text.lastIndexOf(':'))) !== null;
}

function shorten(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}
