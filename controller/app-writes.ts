/** Requests to Marathon that change apps and pods, and their results. */

export interface AppRef {
  readonly kind: 'app' | 'pod';
  /** Absolute. */
  readonly id: string;
}

export interface WriteOptions {
  readonly signal: AbortSignal;
  /** Cancels the deployments that lock it. */
  readonly force?: boolean;
  /** Of an app's update: what `json` does not mention goes, too. */
  readonly whole?: boolean;
}

export type WriteResult = WriteAccepted | WriteRefused;

export interface WriteAccepted {
  readonly result: 'accepted';
  /** Of the definition; null if Marathon's answer has none. */
  readonly version: string | null;
  /** Id of the deployment that carries it out; null if there is nothing to do. */
  readonly deployment: string | null;
}

export interface WriteRefused {
  readonly result: 'refused';
  /** `locked`: by running deployments; `busy`: too many of them; `forbidden`: these credentials may not. */
  readonly why: 'exists' | 'absent' | 'locked' | 'busy' | 'invalid' | 'forbidden';
  /** Marathon's own words. */
  readonly message: string;
  /** Ids of those that lock it. */
  readonly deployments: readonly string[];
  readonly details: readonly FieldErrors[];
}

/** Marathon's errors for one field. */
export interface FieldErrors {
  /** As in a `Rejection`: `portDefinitions[0].port`; empty for the whole. */
  readonly at: string;
  readonly errors: readonly string[];
}

export interface DeploymentProgress {
  readonly id: string;
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  /** What is done now: `StartApplication /web`. */
  readonly actions: readonly string[];
}

/** How many copies of an app or pod there are. */
export interface Instances {
  readonly wanted: number;
  readonly running: number;
  /** Running, and healthy where that is checked. */
  readonly ready: number;
  /** Whether a health check is defined. */
  readonly checked: boolean;
}
