import type { StageName } from './causes.ts';
import type { StepDocument, WayDocument, WhyDocument } from './document.ts';
import type { Asked, Known, Reachable, VipFact, WhyPorts } from './facts.ts';
import { checkBackends } from './stages/backends.ts';
import { checkKernel } from './stages/kernel.ts';
import { checkName, findVips } from './stages/name.ts';
import type { Verdict } from './verdict.ts';

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

/** In the order of a connection's way. */
const WAY: readonly Stage[] = [
  { name: 'name', look: async (way) => checkName(way) },
  { name: 'backends', look: async (way) => checkBackends(way) },
  {
    name: 'kernel',
    look: async (way, ports) => {
      const vip = reachable(way.vip);
      return vip === null ? [] : checkKernel({ ...way, vip, kernel: await ports.kernel(vip) });
    },
  },
];

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
  const known = await ports.known(signal);
  const found = findVips(known, asked);
  const ways: WayDocument[] = [];
  if ('verdict' in found) ways.push(wayOf(null, [toStep('name', found.verdict)]));
  else for (const vip of found.vips) ways.push(wayOf(vip, await walk({ asked, known, vip }, ports, signal)));
  return {
    apiVersion: 'marathon-ipvs/v1',
    at: new Date(now).toISOString(),
    asked: asked.text,
    from: known.from.kind,
    client: null,
    verdict: worst(ways.map(({ verdict }) => verdict)),
    ways,
  };
}

async function walk(way: Way, ports: WhyPorts, signal: AbortSignal): Promise<StepDocument[]> {
  const steps: StepDocument[] = [];
  for (const { name, look } of WAY) {
    signal.throwIfAborted();
    for (const verdict of await look(way, ports)) steps.push(toStep(name, verdict));
    if (steps.some(({ state }) => state === 'broken')) break;
  }
  return steps;
}

function reachable(vip: VipFact): Reachable | null {
  return vip.address === null ? null : { ...vip, address: vip.address };
}

function toStep(stage: StageName, verdict: Verdict): StepDocument {
  const { state, found } = verdict;
  const [cause, fix] = 'cause' in verdict ? [verdict.cause, verdict.fix] : [null, null];
  return { stage, state, found, cause, fix };
}

function wayOf(vip: VipFact | null, steps: readonly StepDocument[]): WayDocument {
  const broken = steps.find(({ state }) => state === 'broken');
  const unknown = steps.some(({ state }) => state === 'unknown');
  return {
    vip:
      vip === null
        ? null
        : { id: vip.id, fqdn: vip.fqdn, protocol: vip.protocol, address: vip.address, port: vip.port },
    verdict: broken !== undefined ? 'broken' : unknown ? 'unknown' : 'works',
    cause: broken?.cause ?? null,
    steps: [...steps],
  };
}

const ORDER = ['broken', 'unknown', 'works'] as const;

function worst(verdicts: readonly WayDocument['verdict'][]): WayDocument['verdict'] {
  return ORDER.find((each) => verdicts.includes(each)) ?? 'unknown';
}
