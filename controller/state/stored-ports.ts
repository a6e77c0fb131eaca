import type { App, Port, Task, TaskPort } from '../model.ts';
import { same } from '../same.ts';

/**
 * An app as it is saved. In memory its tasks share what their ports declare, such as labels; here each port of a task names it
 * by its place in `ports` followed by `olderPorts`: a label of 60,000 characters is then written once, and not for each of ten
 * thousand tasks.
 */
export interface StoredApp extends Omit<App, 'tasks'> {
  readonly tasks: readonly StoredTask[];
  /** What ports of tasks declare that none of the app's does: they run an older version. Absent when there are none. */
  readonly olderPorts?: readonly Port[];
}

interface StoredTask extends Omit<Task, 'ports'> {
  readonly ports: readonly StoredTaskPort[];
}

interface StoredTaskPort extends Omit<TaskPort, keyof Port> {
  readonly port: number;
}

export function toStored(app: App): StoredApp {
  const table = new PortTable(app.ports);
  const tasks = app.tasks.map((task) => ({
    ...task,
    ports: task.ports.map((port) => toStoredPort(port, table.placeOf(port))),
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

export function fromStored({ olderPorts = [], ...app }: StoredApp): App {
  const declared = [...app.ports, ...olderPorts];
  const tasks = app.tasks.map((task) => ({
    ...task,
    ports: task.ports.flatMap(({ port, ...placed }): TaskPort | [] => {
      const found = declared[port];
      return found === undefined ? [] : { ...found, ...placed };
    }),
  }));
  return { ...app, tasks };
}

/** With so many others at its place a port is not compared with more: an app whose tasks all differ is not worth the time. */
const MOST_COMPARED = 8;

/** The ports of an app, and those that are added because a task has them. */
class PortTable {
  readonly ports: Port[];
  /** Places in `ports`, by the path of the port. */
  readonly #places = new Map<string, number[]>();

  constructor(ports: readonly Port[]) {
    this.ports = [...ports];
    for (const [place, { at }] of ports.entries()) this.#note(at, place);
  }

  placeOf(port: TaskPort): number {
    const alike = this.#places.get(port.at) ?? [];
    const found = alike.find((place, i) => i < MOST_COMPARED && declareSame(this.ports[place], port));
    if (found !== undefined) return found;
    const { endpoints: _endpoints, local: _local, unresolved: _unresolved, ...declared } = port;
    this.#note(port.at, this.ports.length);
    return this.ports.push(declared) - 1;
  }

  #note(at: string, place: number): void {
    const known = this.#places.get(at);
    if (known === undefined) this.#places.set(at, [place]);
    else known.push(place);
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
