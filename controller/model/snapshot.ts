import type { App, Rejection } from './app.ts';
import type { Place } from './place.ts';

/** The whole state of a source, or of all: an app that is not in it does not exist. */
export interface Snapshot {
  /** The rows of one source. */
  readonly apps: readonly App[];
  /** Documents that are not apps (a file that cannot be parsed, an app without an id). */
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
  /** Addresses of all agents that the source lists, with or without tasks; absent when it lists none. */
  readonly agents?: readonly string[];
  /** The places of these agents, by address; absent when the source reports none. */
  readonly places?: Readonly<Record<string, Place>>;
  /** What of the source is unknown, besides apps that say so themselves; absent when all is known. */
  readonly unknown?: readonly UnknownPart[];
}

/**
 * A part of a source that could not be read since the start, and of which nothing is saved. Any VIP or backend in the kernel
 * that no source declares may belong to it.
 */
export interface UnknownPart {
  /** The path of a file, or the id of an app, task or object. */
  readonly part: string;
  /** Why it cannot be read. */
  readonly reason: string;
}
