import type { Cause } from './causes.ts';

/**
 * What one check says. `note`: worth knowing, and connections work with it. `suspect`: it may keep connections from working; an
 * attempt decides. `unknown`: it could not be found out.
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
  /** The proof, in words. */
  readonly found: string;
  /** The one thing to do. */
  readonly fix: string;
  /** The symptoms that it explains. */
  readonly explains: readonly Cause[];
}

/** All is as it should be. */
export function ok(found: string): Verdict {
  return { state: 'ok', found };
}

/** Worth knowing, and connections work with it. */
export function note(found: string): Verdict {
  return { state: 'note', found };
}

/** It could not be found out, for this reason. */
export function unknown(found: string): Verdict {
  return { state: 'unknown', found };
}

/** Connections fail because of this. `found` is the proof, `fix` the one thing to do. */
export function broken(cause: Cause, found: string, fix: string): Verdict {
  return { state: 'broken', cause, found, fix };
}
