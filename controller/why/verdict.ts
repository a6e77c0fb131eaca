import type { Cause } from './causes.ts';

/**
 * The result of one check. `note`: worth knowing, connections work. `suspect`: it may make connections fail; an attempt to
 * connect decides. `unknown`: it could not be checked.
 */
export type Verdict =
  | { readonly state: 'ok' | 'note' | 'unknown'; readonly found: string }
  | Suspect
  | {
      readonly state: 'broken';
      readonly cause: Cause;
      readonly found: string;
      readonly fix: string;
    };

export interface Suspect {
  readonly state: 'suspect';
  readonly cause: Cause;
  /** The evidence. */
  readonly found: string;
  /** What to do. */
  readonly fix: string;
  /** The failures that it explains. */
  readonly explains: readonly Cause[];
}

/** The check passed. */
export function ok(found: string): Verdict {
  return { state: 'ok', found };
}

/** Worth knowing; connections work. */
export function note(found: string): Verdict {
  return { state: 'note', found };
}

/** It could not be checked, for this reason. */
export function unknown(found: string): Verdict {
  return { state: 'unknown', found };
}

/** Connections fail because of `cause`. `found` is the evidence, `fix` what to do. */
export function broken(cause: Cause, found: string, fix: string): Verdict {
  return { state: 'broken', cause, found, fix };
}
