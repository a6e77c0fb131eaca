import type { SlicePort } from '../../kubernetes/endpoint-slice.ts';
import { isTaskLabelPort } from '../../settings/label-keys.ts';
import type { NamedPort } from './declaration.ts';

/**
 * Finds the port of an EndpointSlice for each declared port: by name, else by container port, else by position, unless
 * the port there belongs to another declared port by name or number. null when none matches. Protocols must agree.
 */
export function pairPorts(
  declared: readonly NamedPort[],
  ports: readonly SlicePort[],
): readonly (SlicePort | null)[] {
  const sure = declared.map(
    (port) =>
      ports.find((one) => port.name !== null && one.name === port.name && carries(port, one)) ??
      ports.find((one) => one.port === port.containerPort && carries(port, one)),
  );
  const taken = new Set(sure);
  const pairs = declared.map((port, i) => {
    const found = sure[i];
    if (found !== undefined) return found;
    const placed = ports[port.index];
    return placed !== undefined && !taken.has(placed) && carries(port, placed) ? placed : null;
  });
  const ofPorts = declared.flatMap((port, i) =>
    isTaskLabelPort(port.port.at) ? [] : { pair: pairs[i] ?? null },
  );
  return declared.map((port, i) => {
    // An old-form label refers to one of the app's ports, so it shares that port's match.
    const meant = isTaskLabelPort(port.port.at) ? ofPorts[port.index]?.pair : undefined;
    return meant !== undefined && meant !== null && carries(port, meant) ? meant : (pairs[i] ?? null);
  });
}

function carries({ port }: NamedPort, { protocol }: SlicePort): boolean {
  return port.protocols.some((one) => one.toLowerCase() === protocol);
}
