/** What can happen in a story. */

import { type AppSpec, describeApp, describeTasks, type SourceName, type TaskSpec } from './cluster.ts';
import type { Mishap } from './machine.ts';

export type StoryEvent =
  | { readonly what: 'deploy'; readonly app: AppSpec }
  /** The same app with other tasks, as a deployment or a failing check has it; `pick` chooses among all apps. */
  | { readonly what: 'tasks'; readonly pick: number; readonly tasks: readonly TaskSpec[] }
  /** All tasks of an app are on agents that cannot be reached. */
  | { readonly what: 'unreachable'; readonly pick: number }
  /** The same app and tasks with another first label. */
  | { readonly what: 'relabel'; readonly pick: number; readonly vip: string }
  | { readonly what: 'delete'; readonly id: string; readonly source: SourceName }
  /**
   * Sources that are up are read whole, one app of a source only, or not at all; or they give empty lists although
   * nothing has changed. Then a pass is made.
   */
  | {
      readonly what: 'pass';
      readonly full: boolean;
      readonly read: 'whole' | 'one app' | 'nothing' | 'empty lists';
      readonly mishap: Mishap;
    }
  /** The kernel's whole table is read beside the passes; the next full pass works on that. */
  | { readonly what: 'read beside'; readonly mishap: Mishap }
  | { readonly what: 'down' | 'up'; readonly source: SourceName }
  /** The controller is started again and hears nothing, until it turns to its own disk. */
  | { readonly what: 'silence'; readonly mishap: Mishap }
  | { readonly what: 'stop' | 'kill' | 'reboot' }
  | { readonly what: 'wait'; readonly seconds: number }
  /** Clients come to (or leave) a backend; `pick` chooses among those of the kernel. */
  | { readonly what: 'connect'; readonly pick: number; readonly connections: number }
  /** A backend of the kernel does not answer this host, or one that did not does again. */
  | { readonly what: 'falls silent' | 'answers again'; readonly pick: number }
  | { readonly what: 'meddle'; readonly how: Meddling; readonly pick: number; readonly weight: number };

/** What other programs do: make services of their own, and change or remove what they find (`pick` chooses it). */
export type Meddling =
  | { readonly kind: 'own'; readonly service: OwnService }
  | {
      readonly kind: 'weight' | 'direct' | 'scheduler' | 'add backend' | 'remove backend' | 'remove service';
    };

export interface OwnService {
  readonly address: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
}

/** One line for a person. */
export function describeEvent(event: StoryEvent): string {
  switch (event.what) {
    case 'deploy':
      return `deploy ${describeApp(event.app)}`;
    case 'tasks':
      return `app ${event.pick} has the tasks ${describeTasks(event.tasks)}`;
    case 'unreachable':
      return `the tasks of app ${event.pick} cannot be reached`;
    case 'relabel':
      return `app ${event.pick} asks for ${event.vip}`;
    case 'delete':
      return `delete ${event.id} of ${event.source}`;
    case 'pass':
      return `${event.full ? 'full pass' : 'pass'}, read: ${event.read} ${describeMishap(event.mishap)}`.trimEnd();
    case 'read beside':
      return `the kernel is read beside the passes ${describeMishap(event.mishap)}`.trimEnd();
    case 'down':
    case 'up':
      return `${event.source} is ${event.what}`;
    case 'wait':
      return `${event.seconds} s later`;
    case 'connect':
      return `${event.connections} clients at backend ${event.pick} of the kernel`;
    case 'falls silent':
    case 'answers again':
      return `backend ${event.pick} ${event.what}`;
    case 'meddle':
      return `another program: ${event.how.kind}, ${event.pick}, weight ${event.weight}`;
    case 'silence':
      return `started again, sources silent: a pass on our own disk ${describeMishap(event.mishap)}`.trimEnd();
    case 'stop':
    case 'kill':
      return `${event.what} the controller`;
    case 'reboot':
      return 'reboot';
  }
}

function describeMishap(mishap: Mishap): string {
  const said = Object.entries(mishap).map(([key, value]) => `${key} ${value}`);
  return said.length === 0 ? '' : `(${said.join(', ')})`;
}
