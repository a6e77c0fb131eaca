import type { Event, StreamFaults } from './events.ts';
import type { HttpFaults } from './faults.ts';
import type { IpAddress, TaskState } from './instance.ts';
import type { JsonObject } from './json.ts';
import type { LoggedRequest } from './server.ts';

/** A running test Marathon, in the hands of a test. */
export interface TestMarathon {
  /** Of the leading master at the start: `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Of all masters. */
  readonly urls: readonly string[];
  readonly faults: HttpFaults;
  readonly streamFaults: StreamFaults;
  /** Every request since the start (or since a test emptied the list), apart from `/control`. */
  readonly requests: LoggedRequest[];
  /** Every event since the start, whether or not anyone listened. */
  readonly events: readonly Event[];
  readonly listenerCount: number;

  /** Deploys an app, without Marathon's rules for definitions; resolves when the deployment is done. */
  addApp(definition: JsonObject): Promise<JsonObject>;
  /** Changes some fields of an app; resolves when the deployment is done. */
  updateApp(id: string, update: JsonObject): Promise<JsonObject>;
  removeApp(id: string): Promise<void>;
  addPod(definition: JsonObject): Promise<JsonObject>;
  removePod(id: string): Promise<void>;
  /** As the API gives them; without an id the tasks of all apps. */
  tasks(appId?: string): readonly JsonObject[];

  /** By the id of the task or of the instance. A terminal state makes an app start a replacement. */
  setTaskState(id: string, state: TaskState): void;
  setHealth(id: string, alive: boolean | null): void;
  setIpAddresses(id: string, addresses: readonly IpAddress[]): void;
  /** Drops an old version of a definition, as Marathon's garbage collection does. */
  forgetVersion(id: string, version: string): void;

  /** Another master leads after `electionMs` (default 0): streams end, health results are gone. */
  elect(electionMs?: number): void;
  endElection(): void;
  closeStreams(): void;
  /** Every master stops listening and drops its connections; tasks run on. */
  goDown(): Promise<void>;
  /** The masters listen again, where they did before. */
  comeBack(): Promise<void>;
  /** From now on no task has any health result, whatever its checks find; with false all are checked anew. */
  withholdHealth(withheld: boolean): void;
  /** From now on tasks stay staging, until the function that is returned is called. */
  holdStarts(): () => void;
  /** Resolves when no deployment runs (any more). */
  deployed(): Promise<void>;
  /** Resolves with the next event of this type. */
  nextEvent(eventType: string): Promise<Event>;
  /** Ends the servers and every process that was started. */
  close(): Promise<void>;
}
