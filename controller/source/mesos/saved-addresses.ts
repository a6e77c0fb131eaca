import { type AgentAddresses, agentOf } from '../document/agents.ts';
import type { LastGood } from '../last-good.ts';
import type { JoinedTask } from './apps.ts';

/**
 * Addresses that agents had before the start, for those whose names could not be resolved since: without an address for
 * its agent, a task would look as if it had ended.
 */
export class SavedAddresses {
  readonly #lastGood: LastGood;
  /** By host name; null before the first call of `added`. */
  #before: Map<string, string> | null = null;

  constructor(lastGood: LastGood) {
    this.#lastGood = lastGood;
  }

  /**
   * Adds to the resolved addresses those that were saved of others. Asks the disk only in the first call, and only if an
   * agent of these tasks has no address.
   */
  async added(addresses: AgentAddresses, tasks: Iterable<JoinedTask>): Promise<AgentAddresses> {
    this.#before ??= await this.#recall(addresses, tasks);
    for (const host of this.#before.keys()) if (addresses.get(host)) this.#before.delete(host);
    return this.#before.size === 0 ? addresses : new Map([...addresses, ...this.#before]);
  }

  /** A task never moves, so its agent is the one that it had. */
  async #recall(addresses: AgentAddresses, tasks: Iterable<JoinedTask>): Promise<Map<string, string>> {
    const hosts = new Map<string, string>();
    for (const { facts, agent } of tasks)
      if (agent !== null && !addresses.get(agent.host)) hosts.set(facts.id, agent.host);
    const found = new Map<string, string>();
    if (hosts.size === 0) return found;
    await this.#lastGood.load();
    for (const app of this.#lastGood.apps) {
      for (const task of app.tasks) {
        const [host, address] = [hosts.get(task.id), agentOf(task)];
        if (host !== undefined && address !== undefined) found.set(host, address);
      }
    }
    return found;
  }
}
