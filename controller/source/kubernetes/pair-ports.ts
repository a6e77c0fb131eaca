import type { SlicePort } from '../../kubernetes/endpoint-slice.ts';
import { isTaskLabelPort } from '../../settings/label-keys.ts';
import type { NamedPort } from './declaration.ts';

/**
 * Finds the port of an EndpointSlice for each declared one: by name, else by container port, else the one at the same
 * place, unless that one is another's by its name or number. null: none of them fits. Protocols must agree.
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
    // The old form says which of the app's ports it is about, and that one is another port's too.
    const meant = isTaskLabelPort(port.port.at) ? ofPorts[port.index]?.pair : undefined;
    return meant !== undefined && meant !== null && carries(port, meant) ? meant : (pairs[i] ?? null);
  });
}

function carries({ port }: NamedPort, { protocol }: SlicePort): boolean {
  return port.protocols.some((one) => one.toLowerCase() === protocol);
}
