import { addressText, unusableAsBackend } from '../../address.ts';
import type { Agent, Task, TaskPort } from '../../model.ts';
import type { AgentAddress } from './placement.ts';

/** Where a task runs, as far as its ports do not show it. */
export type TaskLocation = Pick<Task, 'agent' | 'addresses'>;

/**
 * The agent of a task and the addresses of its container, where `ports` do not show them: no VIP may take an address of
 * either, whether the task has ports or not. Text that is no IP address is left out. `host` is as the source names it.
 */
export function locationOf(
  host: string | null | undefined,
  addresses: readonly (string | null | undefined)[],
  ports: readonly TaskPort[],
  agentAddress: AgentAddress,
): TaskLocation {
  const at = host ? agentAddress(host) : null;
  const agent: Agent | null = host && at !== null ? { host, address: at } : null;
  const own = new Set(addresses.map(addressText).filter((address) => address !== null && address !== at));
  for (const { backendAddress, endpoints, local = [] } of ports) {
    if (backendAddress === 'container') for (const { address } of endpoints) own.delete(address);
    for (const { address } of local) own.delete(address);
  }
  const others = [...own].filter((address) => address !== null);
  return {
    ...(agent !== null && !isShownBy(agent, ports) && { agent }),
    ...(others.length > 0 && { addresses: others }),
  };
}

/** Of an agent whose address can be no backend the host name is needed too. */
function isShownBy({ host, address }: Agent, ports: readonly TaskPort[]): boolean {
  const inPorts = ports.some(
    ({ backendAddress, endpoints }) =>
      backendAddress === 'agent' && endpoints.some((endpoint) => endpoint.address === address),
  );
  return inPorts && (host === address || unusableAsBackend(address) === null);
}
