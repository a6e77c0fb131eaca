import type { IncomingMessage } from 'node:http';
import { StatusError } from './types.ts';

/** A rule of a Role or ClusterRole. */
export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Who may call, by bearer token: everything, or what RBAC rules allow. */
export type Tokens = ReadonlyMap<string, 'everything' | readonly PolicyRule[]>;

export interface Attempt {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `marathonapps/status`. */
  readonly resource: string;
  readonly name: string;
}

/** Throws 401 for a caller that is not known. null: no tokens are asked for. */
export function authenticate(
  request: IncomingMessage,
  tokens: Tokens | null,
): 'everything' | readonly PolicyRule[] {
  if (tokens === null) return 'everything';
  const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const rules = tokens.get(token);
  if (rules === undefined) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  return rules;
}

/** Throws 403 for what no rule allows. */
export function authorize(
  rules: 'everything' | readonly PolicyRule[],
  { verb, group, resource, name }: Attempt,
): void {
  const has = (list: readonly string[] | undefined, one: string) =>
    list?.includes(one) || list?.includes('*');
  const allows = (rule: PolicyRule) =>
    has(rule.verbs, verb) &&
    has(rule.apiGroups, group) &&
    has(rule.resources, resource) &&
    (rule.resourceNames === undefined || rule.resourceNames.includes(name));
  if (rules === 'everything' || rules.some(allows)) return;
  const message = `${resource}.${group} "${name}" is forbidden: cannot ${verb} resource "${resource}" in API group "${group}"`;
  throw new StatusError(403, 'Forbidden', message);
}
