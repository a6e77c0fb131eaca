import type { SlicePort } from '../../kubernetes/endpoint-slice.ts';
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
  return declared.map((port, i) => {
    const found = sure[i];
    if (found !== undefined) return found;
    const placed = ports[port.index];
    return placed !== undefined && !taken.has(placed) && carries(port, placed) ? placed : null;
  });
}

function carries({ port }: NamedPort, { protocol }: SlicePort): boolean {
  return port.protocols.some((one) => one.toLowerCase() === protocol);
}
