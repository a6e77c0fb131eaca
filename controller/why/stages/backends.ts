import { endpointKey } from '../../model/endpoint.ts';
import type { Cause } from '../causes.ts';
import type { BackendFact, VipFact } from '../facts.ts';
import { broken, ok, type Verdict } from '../verdict.ts';

/** Causes, recognized by the reasons that the desired state gives; the first that matches any backend counts. */
const KINDS: readonly { readonly pattern: RegExp; readonly cause: Cause; readonly fix: string }[] = [
  {
    pattern: /health check failing/,
    cause: 'unhealthy',
    fix: 'marathon-ipvs app show APP lists the state of each task; repair the tasks, or the health check in the definition',
  },
  {
    pattern: /no result yet/,
    cause: 'no-health-result',
    fix: 'wait for the first result; if none comes, check gracePeriodSeconds and the path or port of the health check',
  },
  {
    pattern: /IPVS_WEIGHT/,
    cause: 'weight-zero',
    fix: 'set the label IPVS_WEIGHT of APP to 1 or more, or remove it',
  },
  { pattern: /being killed/, cause: 'ending', fix: 'wait for the deployment of APP, or scale it up' },
];

/** Fixes for a VIP without backends, by the reason that the desired state gives; the first that matches counts. */
const NO_BACKEND_FIXES: readonly { readonly pattern: RegExp; readonly fix: string }[] = [
  {
    pattern: /without an address/,
    fix: 'give the tasks of APP an address and port that other hosts can reach, for this port and address family; warnings of marathon-ipvs status name each task',
  },
  {
    pattern: /cannot be read|can be read/,
    fix: 'correct what the source reports about the tasks of APP; marathon-ipvs status lists each rejected value',
  },
  { pattern: /starts?\b/, fix: 'wait until a task of APP runs; if none does, its sandbox says why' },
  {
    pattern: /unreachable/,
    fix: 'wait until the agents of APP are reachable again, or let Marathon replace the tasks (unreachableStrategy)',
  },
];

const SCALE_UP = 'start a task of APP, or scale it up';

/** Checks that at least one backend gets new connections. */
export function checkBackends({ vip }: { readonly vip: VipFact }): Verdict[] {
  const { backends, reason, apps } = vip;
  const [app = 'the app'] = apps;
  if (backends.length === 0) {
    const found = reason ?? 'none known';
    const fix = NO_BACKEND_FIXES.find(({ pattern }) => pattern.test(found))?.fix ?? SCALE_UP;
    return [broken('no-backend', found, fix.replace('APP', app))];
  }
  const out = backends.filter(({ weight }) => weight === 0);
  if (out.length < backends.length) {
    const rest = out.length === 0 ? '' : `; ${someTexts(out)}`;
    return [ok(`${backends.length - out.length} of ${backends.length} get new connections${rest}`)];
  }
  const kind = KINDS.find(({ pattern }) => out.some((each) => pattern.test(each.reason)));
  const fix = kind?.fix ?? 'marathon-ipvs status APP shows what each waits for';
  return [broken(kind?.cause ?? 'out-of-rotation', someTexts(out), fix.replace('APP', app))];
}

const MAX_NAMED = 4;

function someTexts(backends: readonly BackendFact[]): string {
  const shown = backends.slice(0, MAX_NAMED).map((each) => `${endpointKey(each)}: ${each.reason}`);
  const more = backends.length > MAX_NAMED ? [`and ${backends.length - MAX_NAMED} more`] : [];
  return [...shown, ...more].join('; ');
}
