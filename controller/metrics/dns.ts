import { Counter, Histogram, type Registry } from 'prom-client';
import type { Transport } from '../dns/answer.ts';
import { isKnownType, RCODE, rcodeName, TYPE, typeName } from '../dns/codes.ts';
import { type DnsMeter, DROP_REASONS, type DropReason } from '../dns/responder.ts';

const REPLY_SECONDS = [0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.01];

/**
 * Counts DNS queries.
 *
 * Tens of thousands of queries may arrive per second, so they are counted in plain numbers and handed to prom-client only on
 * a scrape.
 */
export class DnsMetrics implements DnsMeter {
  /** The key encodes type, rcode and transport in one number: a string key would cost more than the answer. */
  readonly #queries = new Map<number, number>(
    [TYPE.A, TYPE.AAAA].flatMap((type) =>
      [RCODE.NOERROR, RCODE.NXDOMAIN].map((rcode) => [keyOf(type, rcode, 'udp'), 0]),
    ),
  );
  readonly #dropped = new Map<DropReason, number>(DROP_REASONS.map((reason) => [reason, 0]));
  #truncated = 0;
  readonly #duration = new Histogram({
    name: 'marathon_ipvs_dns_reply_duration_seconds',
    help: 'Time to create a reply, without the time that the query waited while the process was busy.',
    buckets: REPLY_SECONDS,
    registers: [],
  });

  answered(answer: Parameters<DnsMeter['answered']>[0], transport: Transport, seconds: number): void {
    const key = keyOf(answer.type, answer.rcode, transport);
    this.#queries.set(key, (this.#queries.get(key) ?? 0) + 1);
    if (answer.truncated) this.#truncated += 1;
    this.#duration.observe(seconds);
  }

  dropped(reason: DropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  register(registry: Registry): void {
    const registers = [registry];
    const queries: Counter<'type' | 'rcode' | 'transport'> = new Counter({
      name: 'marathon_ipvs_dns_queries_total',
      help: 'DNS queries answered, by type (other: a type without records here), rcode and transport.',
      labelNames: ['type', 'rcode', 'transport'],
      registers,
      collect: () => {
        queries.reset();
        for (const [key, count] of this.#queries) queries.inc(labelsOf(key), count);
      },
    });
    const dropped: Counter<'reason'> = new Counter({
      name: 'marathon_ipvs_dns_dropped_total',
      help: 'DNS messages and connections without an answer: ignored (not a query), rate (the client exceeds the rate limit), failed (the answer could not be sent), slow (the client took too long).',
      labelNames: ['reason'],
      registers,
      collect: () => {
        dropped.reset();
        for (const [reason, count] of this.#dropped) dropped.inc({ reason }, count);
      },
    });
    const truncated: Counter = new Counter({
      name: 'marathon_ipvs_dns_truncated_total',
      help: 'Truncated DNS answers, after which the client retries over TCP.',
      registers,
      collect: () => {
        truncated.reset();
        truncated.inc(this.#truncated);
      },
    });
    registry.registerMetric(this.#duration);
  }
}

/** All types without records here share a key, so that clients cannot create a counter for every type. */
function keyOf(type: number, rcode: number, transport: Transport): number {
  return (isKnownType(type) ? type * 64 : 0) + rcode * 2 + (transport === 'tcp' ? 1 : 0);
}

function labelsOf(key: number): {
  readonly type: string;
  readonly rcode: string;
  readonly transport: Transport;
} {
  return {
    type: typeName(Math.floor(key / 64)),
    rcode: rcodeName((key % 64) >> 1),
    transport: key % 2 === 1 ? 'tcp' : 'udp',
  };
}
