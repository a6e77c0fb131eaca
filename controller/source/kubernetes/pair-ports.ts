import type { SlicePort } from '../../kubernetes/endpoint-slice.ts';
import { isTaskLabelPort } from '../../settings/label-keys.ts';
import type { NamedPort } from './declaration.ts';

/**
 * Finds the port of an EndpointSlice for each declared port: by name, else by container port, else by position, unless
 * the port there belongs to another declared port by name or number. null when none matches. Protocols must agree.
 *
 * A port without a number is found only when no other fits. It has no position among the ports that have one, and where
 * a name leads to it, the position is not tried: another port may be there.
 */
export function pairPorts(
  declared: readonly NamedPort[],
  ports: readonly SlicePort[],
): readonly (SlicePort | null)[] {
  const numbered = ports.filter(({ port }) => port !== null);
  const certain = declared.map(
    (port) =>
      namedAs(port, numbered) ??
      numbered.find((one) => one.port === port.containerPort && carries(port, one)) ??
      namedAs(port, ports),
  );
  const taken = new Set(certain);
  const atPosition = (port: NamedPort, among: readonly SlicePort[]): SlicePort | null => {
    const placed = among[port.index];
    return placed !== undefined && !taken.has(placed) && carries(port, placed) ? placed : null;
  };
  const pairs = declared.map(
    (port, i) => certain[i] ?? atPosition(port, numbered) ?? withoutNumber(atPosition(port, ports)),
  );
  const ofPorts = declared.flatMap((port, i) =>
    isTaskLabelPort(port.port.at) ? [] : { pair: pairs[i] ?? null },
  );
  return declared.map((port, i) => {
    // An old-form label refers to one of the app's ports, so it shares that port's match.
    const meant = isTaskLabelPort(port.port.at) ? ofPorts[port.index]?.pair : undefined;
    return meant !== undefined && meant !== null && carries(port, meant) ? meant : (pairs[i] ?? null);
  });
}

function namedAs(declared: NamedPort, ports: readonly SlicePort[]): SlicePort | undefined {
  const { name } = declared;
  return name === null ? undefined : ports.find((one) => one.name === name && carries(declared, one));
}

function withoutNumber(found: SlicePort | null): SlicePort | null {
  return found?.port === null ? found : null;
}

function carries({ port }: NamedPort, { protocol }: SlicePort): boolean {
  return port.protocols.some((one) => one.toLowerCase() === protocol);
}
