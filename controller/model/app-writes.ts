/** Requests to Marathon that change apps and pods, and their results. */

export interface AppRef {
  readonly kind: 'app' | 'pod';
  /** Absolute. */
  readonly id: string;
}

export interface WriteOptions {
  readonly signal: AbortSignal;
  /** Cancels the deployments that lock the app. */
  readonly force?: boolean;
  /** For the update of an app: replaces the whole definition, not only the given fields. */
  readonly whole?: boolean;
}

export type WriteResult = WriteAccepted | WriteRefused;

export interface WriteAccepted {
  readonly result: 'accepted';
  /** Version of the new definition; null when Marathon's answer has none. */
  readonly version: string | null;
  /** Id of the deployment; null when nothing has to be deployed. */
  readonly deployment: string | null;
}

export interface WriteRefused {
  readonly result: 'refused';
  /** `locked`: by running deployments; `busy`: too many of them; `forbidden`: these credentials may not. */
  readonly why: 'exists' | 'absent' | 'locked' | 'busy' | 'invalid' | 'forbidden';
  /** Marathon's message. */
  readonly message: string;
  /** Ids of the deployments that lock the app. */
  readonly deployments: readonly string[];
  readonly details: readonly FieldErrors[];
}

/** Marathon's errors for one field. */
export interface FieldErrors {
  /** Path as in a `Rejection`: `portDefinitions[0].port`; empty for the whole definition. */
  readonly at: string;
  readonly errors: readonly string[];
}

export interface DeploymentProgress {
  readonly id: string;
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  /** Current actions: `StartApplication /web`. */
  readonly actions: readonly string[];
}

/** The numbers of copies of an app or pod. */
export interface Instances {
  readonly wanted: number;
  readonly running: number;
  /** Running, and healthy if there is a health check. */
  readonly ready: number;
  /** Whether a health check is defined. */
  readonly checked: boolean;
}
