import { endpointKey } from '../../model.ts';
import type { Cause } from '../causes.ts';
import type { BackendFact, VipFact } from '../facts.ts';
import { broken, ok, type Verdict } from '../verdict.ts';

/** How a reason begins or ends, as the desired state words it; the first that fits any backend is the cause. */
const KINDS: readonly { readonly of: RegExp; readonly cause: Cause; readonly fix: string }[] = [
  {
    of: /health check failing/,
    cause: 'unhealthy',
    fix: 'marathon-ipvs app show APP tells the state of each task; mend the tasks, or the health check in the definition',
  },
  {
    of: /no result yet/,
    cause: 'no-health-result',
    fix: 'wait for the first result; if none comes, look at gracePeriodSeconds and at the path or port of the health check',
  },
  {
    of: /IPVS_WEIGHT/,
    cause: 'weight-zero',
    fix: 'set IPVS_WEIGHT of APP to 1 or more, or remove the label',
  },
  { of: /being killed/, cause: 'ending', fix: 'wait for the deployment of APP, or scale it up' },
];

/** Whether any backend gets new connections, with the reason of each that does not. */
export function checkBackends({ vip }: { readonly vip: VipFact }): Verdict[] {
  const { backends, reason, apps } = vip;
  const [app = 'the app'] = apps;
  if (backends.length === 0) {
    return [
      broken(
        'no-backend',
        reason ?? 'none of its tasks can be reached',
        `marathon-ipvs app show ${app} has the state of each task: start one, or scale the app up`,
      ),
    ];
  }
  const out = backends.filter(({ weight }) => weight === 0);
  if (out.length < backends.length) {
    const rest = out.length === 0 ? '' : `; ${someTexts(out)}`;
    return [ok(`${backends.length - out.length} of ${backends.length} get new connections${rest}`)];
  }
  const kind = KINDS.find(({ of }) => out.some((each) => of.test(each.reason)));
  const fix = kind?.fix ?? 'marathon-ipvs status APP tells what each waits for';
  return [broken(kind?.cause ?? 'out-of-rotation', someTexts(out), fix.replace('APP', app))];
}

/** An answer is read by people. */
const SHOWN = 4;

function someTexts(backends: readonly BackendFact[]): string {
  const shown = backends.slice(0, SHOWN).map((each) => `${endpointKey(each)}: ${each.reason}`);
  const more = backends.length > SHOWN ? [`and ${backends.length - SHOWN} more`] : [];
  return [...shown, ...more].join('; ');
}
