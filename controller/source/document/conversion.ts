import type { App, Port, Task, TaskPort, TaskState } from '../../model.ts';
import { type AgentAddress, notPlaced, type Placement, taskPort } from './placement.ts';

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

/** A task of Marathon's, and how its ports are found in a definition. */
export interface Versioned<Definition, Declared extends { readonly port: Port }> {
  readonly id: string;
  readonly version: string | null | undefined;
  readonly state: TaskState;
  readonly portsIn: (definition: Definition) => readonly Declared[];
  readonly place: (declared: Declared, definition: Definition) => Placement;
}

/** The ports that a task serves, and the definition or the earlier conversion that they are from. */
export type Served<Definition> = { readonly ports: readonly TaskPort[] } & (
  | { readonly definition: Definition }
  | { readonly known: Task }
);

/**
 * Finds what a task of this version serves: its version's definition; else what the task was known to serve,
 * for a task never changes its version; else, of a version that Marathon dropped, the newest definition with
 * a warning. A version that could not be read for now gives nothing: wrong backends would be worse than none.
 */
export function servedBy<Definition, Declared extends { readonly port: Port }>(
  { id, version, state, portsIn, place }: Versioned<Definition, Declared>,
  newest: Definition,
  { versions, previous }: Conversion<Definition>,
  warnings: string[],
): Served<Definition> {
  const placed = (definition: Definition, placement = place) => ({
    definition,
    ports: portsIn(definition).map((each) => taskPort(each.port, placement(each, definition), state)),
  });
  const found = version ? versions?.get(version) : undefined;
  if (found === undefined) return placed(newest);
  if (found !== 'gone' && found !== 'unreadable') return placed(found);

  const known = previous?.tasks.find((task) => task.id === id);
  if (known?.ports.every(({ endpoints }) => endpoints.length > 0)) return { known, ports: known.ports };
  if (found === 'unreadable')
    return placed(newest, () => notPlaced(`the definition of version ${version} could not be read`));
  warnings.push(`task ${id} runs version ${version}, which Marathon no longer has: taken as the newest one`);
  return placed(newest);
}
