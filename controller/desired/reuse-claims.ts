import type { Backend, BackendKey } from '../model.ts';
import { same } from '../same.ts';
import type { Claim } from './claim.ts';
import type { AppClaims } from './claims.ts';

/** What an app claims `now`, with whatever is in it as it was `before`: claims, and backends in one that changed. */
export function reuseClaims(before: AppClaims | undefined, now: AppClaims): AppClaims {
  if (before === undefined) return now;
  const known = new Map(before.claims.map((claim) => [claim.key, claim]));
  return {
    ...now,
    claims: now.claims.map((claim) => reuseClaim(known.get(claim.key), claim)),
    labels: same(before.labels, now.labels) ? before.labels : now.labels,
    spellings: same(before.spellings, now.spellings) ? before.spellings : now.spellings,
  };
}

function reuseClaim(before: Claim | undefined, now: Claim): Claim {
  if (before === undefined) return now;
  const { backends: had, ...was } = before;
  const { backends: has, ...is } = now;
  const backends = {
    ipv4: reuseBackends(had.ipv4, has.ipv4),
    ipv6: reuseBackends(had.ipv6, has.ipv6),
  };
  if (backends.ipv4 === had.ipv4 && backends.ipv6 === had.ipv6 && same(was, is)) return before;
  const target = same(was.target, is.target) ? was.target : is.target;
  const declared = same(was.declared, is.declared) ? was.declared : is.declared;
  return { ...is, target, declared, backends };
}

type Backends = ReadonlyMap<BackendKey, Backend>;

function reuseBackends(before: Backends, now: Backends): Backends {
  const backends = new Map<BackendKey, Backend>();
  let all = before.size === now.size;
  now.forEach((backend, key) => {
    const had = before.get(key);
    const kept = had !== undefined && same(had, backend);
    backends.set(key, kept ? had : backend);
    all &&= kept;
  });
  return all ? before : backends;
}
