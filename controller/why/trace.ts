import { CAUSES, type StageName } from './causes.ts';
import type { StepDocument, TraceDocument, WhyDocument } from './document.ts';
import type { AddressedVip, DesiredState, VipFact, VipQuery, WhyPorts } from './facts.ts';
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

/** What every stage gets: the request, the desired state and the VIP to trace. */
interface TraceInput {
  readonly query: VipQuery;
  readonly desired: DesiredState;
  readonly vip: VipFact;
}

/** A stage reads its facts, and a pure function checks them. */
interface Stage {
  readonly name: StageName;
  check(input: TraceInput, ports: WhyPorts): Promise<Verdict[]>;
}

/** Connections through the VIP: enough for the scheduler to use several backends. */
const MAX_CONNECTIONS = 10;

/** In the order that a connection passes through them. */
const PATH: readonly Stage[] = [
  { name: 'name', check: async (input) => checkName(input) },
  withAddress('dns', async ({ query, vip }, ports) => {
    // A client that uses the address needs no DNS.
    if (vip.fqdn === null || query.name === vip.address || vip.backends.length === 0) return [];
    const named = { ...vip, fqdn: vip.fqdn };
    return checkDns({ vip: named, names: await ports.names(named) });
  }),
  { name: 'address', check: async (input) => checkAddress(input) },
  { name: 'backends', check: async (input) => checkBackends(input) },
  withAddress('kernel', async (input, ports) =>
    checkKernel({ ...input, kernel: await ports.kernel(input.vip) }),
  ),
  withAddress('route', async (input, ports) => checkRoute({ ...input, route: await ports.route(input.vip) })),
  withAddress('filters', async (input, ports) => checkFilters({ ...input, filters: await ports.filters() })),
  withAddress('limits', async (input, ports) => {
    const [limits, kernel] = await Promise.all([ports.limits(), ports.kernel(input.vip)]);
    return checkLimits({ limits, kernel });
  }),
  withAddress('connections', async (input, ports) => {
    if (input.vip.protocol !== 'tcp') return [note('not tried: UDP has no handshake to wait for')];
    // These connections count towards the limits of backends: leave half of the rest to clients.
    const { free } = roomIn(await ports.kernel(input.vip)) ?? { free: 2 * MAX_CONNECTIONS };
    const count = Math.max(1, Math.min(MAX_CONNECTIONS, Math.floor(free / 2)));
    return checkConnections({ ...input, connections: await ports.connections(input.vip, count) });
  }),
];

/** Creates a stage that is skipped for a VIP without an address. */
function withAddress(
  name: StageName,
  check: (input: TraceInput & { readonly vip: AddressedVip }, ports: WhyPorts) => Promise<Verdict[]>,
): Stage {
  return {
    name,
    async check(input, ports) {
      const { address } = input.vip;
      return address === null ? [] : await check({ ...input, vip: { ...input.vip, address } }, ports);
    },
  };
}

/**
 * Traces a connection to each VIP that matches the query, up to the first stage that is broken. `now` is in milliseconds since
 * the epoch. Rejects if the desired state cannot be read, and with the signal's reason if that aborts.
 */
export async function explain(
  query: VipQuery,
  ports: WhyPorts,
  now: number,
  signal: AbortSignal,
): Promise<WhyDocument> {
  let { desired, traces } = await traceAll(query, ports, signal);
  // A pass may have changed the kernel after the desired state was read: look once more.
  if (traces.some(({ cause }) => cause !== null && CAUSES[cause].stage === 'kernel')) {
    await ports.sleep(SETTLE_MS, signal);
    ({ desired, traces } = await traceAll(query, ports, signal));
  }
  return {
    apiVersion: 'marathon-ipvs/v1',
    at: new Date(now).toISOString(),
    asked: query.text,
    from: desired.from.kind,
    client: ports.client,
    namespace: ports.namespace ?? null,
    verdict: worst(traces.map(({ verdict }) => verdict)),
    ways: traces,
  };
}

/** As long as a pass takes. */
const SETTLE_MS = 1_500;

async function traceAll(
  query: VipQuery,
  ports: WhyPorts,
  signal: AbortSignal,
): Promise<{ readonly desired: DesiredState; readonly traces: TraceDocument[] }> {
  const desired = await ports.desired(signal);
  const found = findVips(desired, query);
  if ('verdict' in found) return { desired, traces: [toTrace(null, [toStep('name', found.verdict)])] };
  const traces: TraceDocument[] = [];
  for (const vip of found.vips)
    traces.push(toTrace(vip, await trace({ query, desired, vip }, ports, signal)));
  return { desired, traces };
}

async function trace(input: TraceInput, ports: WhyPorts, signal: AbortSignal): Promise<StepDocument[]> {
  const steps: StepDocument[] = [];
  const suspects = new Map<StepDocument, Suspect>();
  for (const { name, check } of PATH) {
    signal.throwIfAborted();
    for (const verdict of await check(input, ports)) {
      const step = toStep(name, verdict);
      steps.push(step);
      if (verdict.state === 'suspect') suspects.set(step, verdict);
    }
    if (steps.some(({ state }) => state === 'broken')) break;
  }
  return settleSuspects(steps, suspects);
}

/** A suspect that explains how attempts failed is the cause; if attempts succeed, it is only a note. */
function settleSuspects(
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

function toTrace(vip: VipFact | null, steps: readonly StepDocument[]): TraceDocument {
  const { cause = null } = steps.find(({ state }) => state === 'broken') ?? {};
  // A suspect that no attempt has settled may still be the cause.
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

function worst(verdicts: readonly TraceDocument['verdict'][]): TraceDocument['verdict'] {
  return ORDER.find((each) => verdicts.includes(each)) ?? 'unknown';
}
