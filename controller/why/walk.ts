import { CAUSES, type StageName } from './causes.ts';
import type { StepDocument, WayDocument, WhyDocument } from './document.ts';
import type { Asked, Known, Reachable, VipFact, WhyPorts } from './facts.ts';
import { checkAddress } from './stages/address.ts';
import { checkBackends } from './stages/backends.ts';
import { checkConnections } from './stages/connections.ts';
import { checkDns } from './stages/dns.ts';
import { checkFilters } from './stages/filters.ts';
import { checkKernel } from './stages/kernel.ts';
import { checkLimits, roomIn } from './stages/limits.ts';
import { checkName, findVips } from './stages/name.ts';
import { checkRoute } from './stages/route.ts';
import { note, type Suspect, type Verdict } from './verdict.ts';

/** What a stage is given: what should be, and the VIP whose way is walked. */
interface Way {
  readonly asked: Asked;
  readonly known: Known;
  readonly vip: VipFact;
}

/** A stage reads its facts when its turn comes, and a pure check judges them. */
interface Stage {
  readonly name: StageName;
  look(way: Way, ports: WhyPorts): Promise<Verdict[]>;
}

/** Through the VIP, so that the scheduler comes by several backends. */
const MOST_CONNECTIONS = 10;

/** In the order of a connection's way. */
const WAY: readonly Stage[] = [
  { name: 'name', look: async (way) => checkName(way) },
  onTheWay('dns', async ({ asked, vip }, ports) => {
    // Whoever uses the address asks for no name.
    if (vip.fqdn === null || asked.name === vip.address || vip.backends.length === 0) return [];
    const named = { ...vip, fqdn: vip.fqdn };
    return checkDns({ vip: named, names: await ports.names(named) });
  }),
  { name: 'address', look: async (way) => checkAddress(way) },
  { name: 'backends', look: async (way) => checkBackends(way) },
  onTheWay('kernel', async (way, ports) => checkKernel({ ...way, kernel: await ports.kernel(way.vip) })),
  onTheWay('route', async (way, ports) => checkRoute({ ...way, route: await ports.route(way.vip) })),
  onTheWay('filters', async (way, ports) => checkFilters({ ...way, filters: await ports.filters() })),
  onTheWay('limits', async (way, ports) => {
    const [limits, kernel] = await Promise.all([ports.limits(), ports.kernel(way.vip)]);
    return checkLimits({ limits, kernel });
  }),
  onTheWay('connections', async (way, ports) => {
    if (way.vip.protocol !== 'tcp') return [note('not tried: UDP answers no attempt')];
    // What we open counts towards the limits of backends: clients keep half of what is left.
    const { most } = roomIn(await ports.kernel(way.vip)) ?? { most: 2 * MOST_CONNECTIONS };
    const count = Math.max(1, Math.min(MOST_CONNECTIONS, Math.floor(most / 2)));
    return checkConnections({ ...way, connections: await ports.connections(way.vip, count) });
  }),
];

/** A stage of a VIP that has an address. */
function onTheWay(
  name: StageName,
  look: (way: Way & { readonly vip: Reachable }, ports: WhyPorts) => Promise<Verdict[]>,
): Stage {
  return {
    name,
    async look(way, ports) {
      const { address } = way.vip;
      return address === null ? [] : await look({ ...way, vip: { ...way.vip, address } }, ports);
    },
  };
}

/**
 * Walks the way of a connection to each VIP that is meant, up to the first thing that is broken. Rejects where nobody can
 * tell what should be, and with the signal's reason when that aborts. `now` in milliseconds since the epoch.
 */
export async function explain(
  asked: Asked,
  ports: WhyPorts,
  now: number,
  signal: AbortSignal,
): Promise<WhyDocument> {
  let { known, ways } = await walkAll(asked, ports, signal);
  // A pass may have come between what should be and what is.
  if (ways.some(({ cause }) => cause !== null && CAUSES[cause].stage === 'kernel')) {
    await ports.sleep(SETTLE_MS, signal);
    ({ known, ways } = await walkAll(asked, ports, signal));
  }
  return {
    apiVersion: 'marathon-ipvs/v1',
    at: new Date(now).toISOString(),
    asked: asked.text,
    from: known.from.kind,
    client: ports.client,
    namespace: ports.namespace ?? null,
    verdict: worst(ways.map(({ verdict }) => verdict)),
    ways,
  };
}

/** As long as a pass takes. */
const SETTLE_MS = 1_500;

async function walkAll(
  asked: Asked,
  ports: WhyPorts,
  signal: AbortSignal,
): Promise<{ readonly known: Known; readonly ways: WayDocument[] }> {
  const known = await ports.known(signal);
  const found = findVips(known, asked);
  if ('verdict' in found) return { known, ways: [wayOf(null, [toStep('name', found.verdict)])] };
  const ways: WayDocument[] = [];
  for (const vip of found.vips) ways.push(wayOf(vip, await walk({ asked, known, vip }, ports, signal)));
  return { known, ways };
}

async function walk(way: Way, ports: WhyPorts, signal: AbortSignal): Promise<StepDocument[]> {
  const steps: StepDocument[] = [];
  const suspects = new Map<StepDocument, Suspect>();
  for (const { name, look } of WAY) {
    signal.throwIfAborted();
    for (const verdict of await look(way, ports)) {
      const step = toStep(name, verdict);
      steps.push(step);
      if (verdict.state === 'suspect') suspects.set(step, verdict);
    }
    if (steps.some(({ state }) => state === 'broken')) break;
  }
  return judged(steps, suspects);
}

/** A suspect that explains what became of the attempts is the cause; one of a way that works is a note. */
function judged(
  steps: readonly StepDocument[],
  suspects: ReadonlyMap<StepDocument, Suspect>,
): StepDocument[] {
  const { cause = null } = steps.find(({ state }) => state === 'broken') ?? {};
  const [culprit] =
    [...suspects].find(([, { explains }]) => cause !== null && explains.includes(cause)) ?? [];
  const works = steps.some(({ stage, state }) => stage === 'connections' && state === 'ok');
  return steps.map((step): StepDocument => {
    if (step === culprit) return { ...step, state: 'broken' };
    return step.state === 'suspect' && works ? { ...step, state: 'note', cause: null, fix: null } : step;
  });
}

function toStep(stage: StageName, verdict: Verdict): StepDocument {
  const { state, found } = verdict;
  const [cause, fix] = 'cause' in verdict ? [verdict.cause, verdict.fix] : [null, null];
  return { stage, state, found, cause, fix };
}

function wayOf(vip: VipFact | null, steps: readonly StepDocument[]): WayDocument {
  const { cause = null } = steps.find(({ state }) => state === 'broken') ?? {};
  // What no attempt decided may still be the cause.
  const unknown = steps.some(({ state }) => state === 'unknown' || state === 'suspect');
  return {
    vip:
      vip === null
        ? null
        : { id: vip.id, fqdn: vip.fqdn, protocol: vip.protocol, address: vip.address, port: vip.port },
    verdict: cause !== null ? 'broken' : unknown ? 'unknown' : 'works',
    cause,
    title: cause === null ? null : CAUSES[cause].title,
    steps: [...steps],
  };
}

const ORDER = ['broken', 'unknown', 'works'] as const;

function worst(verdicts: readonly WayDocument['verdict'][]): WayDocument['verdict'] {
  return ORDER.find((each) => verdicts.includes(each)) ?? 'unknown';
}
