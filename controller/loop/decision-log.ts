import type { BackendKey } from '../model/endpoint.ts';
import type { ServiceKey } from '../model/service.ts';
import type { PassStatus } from '../pass-status.ts';
import type { Decision, DecisionRule } from '../plan/decision.ts';
import type { Log } from '../ports.ts';

/** Limit of lines for one pass; the rest is logged as a number, and `status` shows all. */
const MAX_LINES = 100;

type Fields = Readonly<Record<string, unknown>>;
type SinceByRule = ReadonlyMap<DecisionRule, number>;

/**
 * Returns a function that logs when a rule begins or ceases to override what the sources declare for a VIP: one line
 * for each VIP and rule, regardless of the number of backends and passes. A pass that ended early is ignored.
 */
export function createDecisionLog(log: Log): (pass: PassStatus) => void {
  const standing = new Map<ServiceKey, SinceByRule>();

  return ({ plan, decisions, finishedAt, error }) => {
    if (error !== null) return;
    const begun: Fields[] = [];
    const ended: Fields[] = [];
    for (const vip of new Set([...decisions.keys(), ...standing.keys()])) {
      const decided = decisions.get(vip);
      // A pass has decisions only about the services that it compared.
      if (decided === undefined && !plan.keys.has(vip)) continue;
      const before = standing.get(vip) ?? NO_RULES;
      const rules = byRule(decided ?? NO_DECISIONS);
      begun.push(...linesOfBegun(vip, rules, before));
      ended.push(...linesOfEnded(vip, rules, before, finishedAt));
      const now = [...rules].map(
        ([rule, { first }]) => [rule, before.get(rule) ?? first.since ?? finishedAt] as const,
      );
      if (now.length > 0) standing.set(vip, new Map(now));
      else standing.delete(vip);
    }
    logSome(log, 'rule overrides the sources', begun);
    logSome(log, 'rule no longer overrides the sources', ended);
  };
}

const NO_RULES: SinceByRule = new Map();
const NO_DECISIONS: ReadonlyMap<BackendKey | null, Decision> = new Map();

interface Concerned {
  readonly first: Decision;
  /** Whether the rule concerns the service itself. */
  service: boolean;
  backends: number;
}

type Rules = ReadonlyMap<DecisionRule, Concerned>;

function linesOfBegun(vip: ServiceKey, rules: Rules, before: SinceByRule): Fields[] {
  return [...rules]
    .filter(([rule]) => !before.has(rule))
    .map(([rule, { first, service, backends }]) => {
      const { reason, endsWhen } = first;
      return { vip, rule, service, backends, ...(reason !== undefined && { why: reason }), until: endsWhen };
    });
}

function linesOfEnded(vip: ServiceKey, rules: Rules, before: SinceByRule, now: number): Fields[] {
  return [...before]
    .filter(([rule]) => !rules.has(rule))
    .map(([rule, since]) => ({ vip, rule, seconds: Math.round((now - since) / 1_000) }));
}

function byRule(decided: ReadonlyMap<BackendKey | null, Decision>): Rules {
  const found = new Map<DecisionRule, Concerned>();
  for (const [backend, decision] of decided) {
    const concerned = found.get(decision.rule) ?? { first: decision, service: false, backends: 0 };
    if (backend === null) concerned.service = true;
    else concerned.backends += 1;
    found.set(decision.rule, concerned);
  }
  return found;
}

function logSome(log: Log, message: string, lines: readonly Fields[]): void {
  for (const fields of lines.slice(0, MAX_LINES)) log.info(message, fields);
  if (lines.length > MAX_LINES) log.info(message, { more: lines.length - MAX_LINES });
}
