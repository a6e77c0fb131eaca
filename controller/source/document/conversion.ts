import type { App, Task } from '../../model.ts';
import type { AgentAddress } from './placement.ts';

/** What converting an app or a pod needs besides its JSON. `Definition` is what one version of it declares. */
export interface Conversion<Definition> {
  /** Mesos framework name. */
  readonly framework: string;
  readonly agentAddress: AgentAddress;
  /**
   * Older versions that tasks run, by Marathon's version text; one that is not in it counts as the newest.
   * `gone`: Marathon has dropped it. `unreadable`: it could not be read this time.
   */
  readonly versions?: ReadonlyMap<string, Definition | 'gone' | 'unreadable'>;
  /** What the newest version declares, where that has been read already; it is then kept once. */
  readonly newest?: Definition;
  /** The app as it was converted last: what its tasks served then outlives the definition of their version. */
  readonly previous?: App | undefined;
}

/** What a task serves, as far as its version can tell. */
export type Served<Definition> =
  | { readonly by: 'definition'; readonly definition: Definition; readonly warning?: string }
  | { readonly by: 'last conversion'; readonly task: Task }
  | { readonly by: 'nothing'; readonly reason: string };

/**
 * Finds what a task of this version serves: its version's definition; else what the task was known to serve,
 * for a task never changes its version; else, of a version that Marathon dropped, the newest definition with
 * a warning. A version that could not be read for now gives nothing: wrong backends would be worse than none.
 */
export function servedBy<Definition>(
  task: { readonly id: string; readonly version: string | null | undefined },
  newest: Definition,
  { versions, previous }: Conversion<Definition>,
): Served<Definition> {
  const found = task.version ? versions?.get(task.version) : undefined;
  if (found === undefined) return { by: 'definition', definition: newest };
  if (found !== 'gone' && found !== 'unreadable') return { by: 'definition', definition: found };

  const known = previous?.tasks.find(({ id }) => id === task.id);
  if (known?.ports.every(({ endpoints }) => endpoints.length > 0))
    return { by: 'last conversion', task: known };
  if (found === 'unreadable') {
    return { by: 'nothing', reason: `the definition of version ${task.version} could not be read` };
  }
  const warning = `task ${task.id} runs version ${task.version}, which Marathon no longer has: taken as the newest one`;
  return { by: 'definition', definition: newest, warning };
}
