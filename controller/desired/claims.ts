import { onlyKnownTo } from '../inventory/merge.ts';
import type { App, Port, Rejection, Task } from '../model.ts';
import type { Claim, ClaimRules } from './claim.ts';
import { createClaimBuilder } from './claim-builder.ts';
import { labelProblems } from './label-problems.ts';
import { createPortReader, type HostContext, type PortReading } from './port-reading.ts';
import type { NamedTarget } from './target.ts';

/** The name of a VIP as a label writes it. */
export interface Spelling {
  /** `label.framework`, cleaned. */
  readonly fullName: string;
  readonly written: string;
  /** App and path: `/web portDefinitions[0].labels.VIP_0`. */
  readonly place: string;
}

export interface LabelState {
  /** As in `NameMemory.labels`. */
  readonly key: string;
  /** Its text; null when the text is invalid. */
  readonly valid: string | null;
}

/** Everything derived from the labels of one app. */
export interface AppClaims {
  readonly claims: readonly Claim[];
  /** State of each VIP label of the newest definition. */
  readonly labels: readonly LabelState[];
  /** How the newest definition writes its names. */
  readonly spellings: readonly Spelling[];
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

/**
 * The claims of one app: the VIPs of its newest definition, and those that running tasks of an older version still ask
 * for (as on DC/OS, where a task served the VIPs of its own version until it was killed).
 *
 * A problem with a label is reported once, for the newest definition, and not again for each task.
 */
export function claimsOf(app: App, rules: ClaimRules, context: HostContext): AppClaims {
  const readPort = createPortReader(app, rules, context);
  const builder = createClaimBuilder(app, rules, context);
  const labels = new Map<string, LabelState>();
  const spellings: Spelling[] = [];
  const problems = collectProblems(app, rules.zone);
  const warnings = app.warnings.map((warning) => `${app.id} ${warning}`);

  for (const port of app.ports) {
    const reading = readPort(port);
    problems.about(port, reading);
    warnings.push(...builder.declare(port, reading));
    for (const { key, at, text, problem, target } of reading.vips) {
      note(labels, { key, valid: problem === null ? text : null });
      if (target?.named) spellings.push(toSpelling(target.named, `${app.id} ${at}`));
    }
  }
  for (const task of app.tasks) {
    for (const port of task.ports) {
      const reading = readPort(port);
      problems.aboutTask(task, port, reading);
      const warning = builder.addBackends(task, port, reading);
      if (warning !== null) warnings.push(warning);
    }
  }
  const finished = builder.finish();
  warnings.push(...problems.warnings, ...finished.warnings);
  return {
    claims: finished.claims,
    labels: [...labels.values()],
    spellings,
    rejected: problems.rejected(),
    warnings,
  };
}

/** Ports may share a label key with different texts: the first valid text counts. */
function note(labels: Map<string, LabelState>, state: LabelState): void {
  const known = labels.get(state.key) ?? null;
  if (known === null || known.valid === null) labels.set(state.key, state);
}

/** Collects the problems with an app's labels, each once. */
function collectProblems(app: App, zone: string) {
  const ofTasks = app.fromTasks || app.labelsPerTask;
  const told = new Set<PortReading>();
  const rejected: Rejection[] = [...app.rejected];
  const warnings: string[] = [];

  const about = (port: Port, reading: PortReading): void => {
    told.add(reading);
    const problems = labelProblems(app, port, reading, zone);
    rejected.push(...problems.rejected);
    warnings.push(...problems.warnings);
  };
  return {
    about,
    /**
     * Reports the labels of a task only where they may differ from the definition's: where the app was put together from
     * its tasks, and for a task that the source of the definition does not list. Problems that the definition has too are
     * not repeated.
     */
    aboutTask({ onlyIn }: Task, port: Port, reading: PortReading): void {
      if (told.has(reading)) return;
      if (ofTasks) about(port, reading);
      else if (onlyIn !== undefined) {
        told.add(reading);
        for (const one of labelProblems(app, port, reading, zone).rejected) {
          if (rejected.some(({ value, reason }) => value === one.value && reason === one.reason)) continue;
          rejected.push({ ...one, reason: onlyKnownTo(onlyIn, one.reason) });
        }
      }
    },
    rejected: (): readonly Rejection[] => (rejected.length < 2 ? rejected : eachOnce(rejected)),
    warnings,
  };
}

/** Removes duplicates: several tasks may have the same label. */
function eachOnce(rejected: readonly Rejection[]): readonly Rejection[] {
  return [...new Map(rejected.map((one) => [`${one.at}\n${one.value}\n${one.reason}`, one])).values()];
}

function toSpelling({ fullName, written }: NamedTarget, place: string): Spelling {
  return { fullName, written, place };
}
