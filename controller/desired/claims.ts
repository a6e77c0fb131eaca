import {
  type App,
  type Backend,
  type BackendKey,
  type Declared,
  endpointKey,
  type Family,
  type Port,
  type Protocol,
  type Rejection,
  type Task,
  type TaskPort,
} from '../model.ts';
import { canonicalAddress, familyOf } from './address.ts';
import { standingOf } from './backends.ts';
import type { PortOptions } from './port-options.ts';
import { createPortReader, type LabelReading, type Naming, type PortReading, type Surroundings } from './port-reading.ts';
import { familiesOf, type Target } from './target.ts';

export interface ClaimRules extends Naming {
  /** The families in which named VIPs get addresses. */
  readonly namedFamilies: readonly Family[];
}

/** That one app asks for one VIP over one protocol, and what it puts behind it. */
export interface Claim {
  /** The same for all apps that ask for this VIP: `tcp/web.marathon.l4lb.thisdcos.directory:80`. */
  readonly key: string;
  readonly target: Target;
  readonly scheduler: string;
  readonly persistenceSeconds: number;
  readonly declared: Declared;
  /** Sorted by their keys. */
  readonly backends: Readonly<Record<Family, ReadonlyMap<BackendKey, Backend>>>;
}

/** Everything that one app's labels give. */
export interface AppClaims {
  readonly claims: readonly Claim[];
  /** Each VIP label of the newest definition, and its text if that is valid. */
  readonly labels: ReadonlyMap<string, string | null>;
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

/**
 * What one app claims: the VIPs of its newest definition, and those that running tasks of an older version still
 * ask for (on DC/OS too, a task served the VIPs of its own version until it was killed).
 *
 * Labels are complained about where the newest definition has them, not once more for each task.
 */
export function claimsOf(app: App, rules: ClaimRules, surroundings: Surroundings): AppClaims {
  const readPort = createPortReader(app, rules, surroundings);
  const drafts = new Map<string, Draft>();
  const report = new Report(app);

  for (const port of app.ports) {
    const reading = readPort(port);
    report.definition(port, reading);
    for (const draft of draftsFor(drafts, app, port, reading, rules)) report.settings(draft, port, reading.options.options);
  }
  for (const task of app.tasks) {
    for (const port of task.ports) {
      const reading = readPort(port);
      const found = draftsFor(drafts, app, port, reading, rules);
      if (found.length > 0) offer(found, app, task, port, reading.options.options, report);
    }
  }
  const claims = [...drafts.values()].filter(isAskedFor).map((draft) => finish(draft, report));
  return { claims, labels: report.labels, rejected: report.rejected, warnings: report.warnings };
}

/** A claim while its backends are being collected. */
interface Draft {
  readonly key: string;
  readonly app: App;
  readonly target: Target;
  readonly protocol: Protocol;
  readonly port: Port;
  readonly at: string;
  readonly options: PortOptions;
  readonly families: readonly Family[];
  readonly backends: Record<Family, Map<BackendKey, Backend>>;
  /** Set when a backend had to be left out, because the VIP is of the other family. */
  otherFamily: boolean;
  /** Whether the definition has it, or a task that is a backend. */
  asked: boolean;
}

/** The drafts that a port's labels lead to, made where they are new. */
function draftsFor(
  drafts: Map<string, Draft>,
  app: App,
  port: Port,
  reading: PortReading,
  rules: ClaimRules,
): readonly Draft[] {
  const found: Draft[] = [];
  for (const { target, at } of reading.vips) {
    if (target === null) continue;
    for (const protocol of reading.protocols) {
      const key = `${protocol}/${target.key}`;
      let draft = drafts.get(key);
      if (draft === undefined) {
        const families = familiesOf(target, rules.namedFamilies);
        const backends = { ipv4: new Map<BackendKey, Backend>(), ipv6: new Map<BackendKey, Backend>() };
        const { options } = reading.options;
        draft = { key, app, target, protocol, port, at, options, families, backends, otherFamily: false, asked: false };
        drafts.set(key, draft);
      }
      found.push(draft);
    }
  }
  return found;
}
