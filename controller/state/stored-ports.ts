import { same } from '../compare.ts';
import { type App, type Port, placedPort, type Task, type TaskPort } from '../model/app.ts';

/**
 * An app as it is saved. In memory, tasks share what their ports declare, such as labels. Here each port of a task has the
 * index of its declaration in `ports` followed by `olderPorts`, so that a label of 60,000 characters is written once rather
 * than for each of ten thousand tasks.
 */
export interface StoredApp extends Omit<App, 'tasks'> {
  readonly tasks: readonly StoredTask[];
  /** Declarations of task ports that the app no longer has, since the tasks run an older version. Absent if there are none. */
  readonly olderPorts?: readonly Port[];
}

interface StoredTask extends Omit<Task, 'ports'> {
  readonly ports: readonly StoredTaskPort[];
}

interface StoredTaskPort extends Omit<TaskPort, keyof Port> {
  readonly port: number;
}

/** Converts an app to the form that is saved. */
export function toStored(app: App): StoredApp {
  const table = new PortTable(app.ports);
  const tasks = app.tasks.map((task) => ({
    ...task,
    ports: task.ports.map((port) => toStoredPort(port, table.indexOf(port))),
  }));
  const olderPorts = table.ports.slice(app.ports.length);
  return { ...app, tasks, ...(olderPorts.length > 0 && { olderPorts }) };
}

function toStoredPort({ endpoints, local, unresolved }: TaskPort, port: number): StoredTaskPort {
  return {
    port,
    endpoints,
    ...(local !== undefined && { local }),
    ...(unresolved !== undefined && { unresolved }),
  };
}

/** Converts a saved app back. Drops task ports whose declaration is missing. */
export function fromStored({ olderPorts = [], ...app }: StoredApp): App {
  const declared = [...app.ports, ...olderPorts];
  const tasks = app.tasks.map((task) => ({
    ...task,
    ports: task.ports
      .flatMap(({ port, ...placed }) => {
        const found = declared[port];
        return found === undefined ? [] : placedPort(found, placed);
      })
      .slice(),
  }));
  return { ...app, tasks };
}

/** Maximum number of declarations with the same path to compare a port with, for an app whose tasks all differ. */
const MAX_COMPARED = 8;

/** The ports of an app, and those that only its tasks have. */
class PortTable {
  readonly ports: Port[];
  /** Indexes in `ports`, by the path of the port. */
  readonly #indexes = new Map<string, number[]>();

  constructor(ports: readonly Port[]) {
    this.ports = [...ports];
    for (const [index, { at }] of ports.entries()) this.#add(at, index);
  }

  /** Returns the index of a task port's declaration, which is added if it is new. */
  indexOf(port: TaskPort): number {
    const candidates = this.#indexes.get(port.at) ?? [];
    const found = candidates.find((index, i) => i < MAX_COMPARED && declareSame(this.ports[index], port));
    if (found !== undefined) return found;
    const { endpoints: _endpoints, local: _local, unresolved: _unresolved, ...declared } = port;
    this.#add(port.at, this.ports.length);
    return this.ports.push(declared) - 1;
  }

  #add(at: string, index: number): void {
    const known = this.#indexes.get(at);
    if (known === undefined) this.#indexes.set(at, [index]);
    else known.push(index);
  }
}

/** Whether two ports with the same path declare the same. */
function declareSame(a: Port | undefined, b: Port): boolean {
  return (
    a !== undefined &&
    a.mode === b.mode &&
    a.backendAddress === b.backendAddress &&
    a.container === b.container &&
    same(a.protocols, b.protocols) &&
    same(a.labels, b.labels)
  );
}
