import type { PassStatus } from '../pass-status.ts';

/** A VIP in the shape of dcos-net's `GET /v1/vips`. */
export interface VipView {
  /** `NAME.FRAMEWORK.ZONE:PORT`, or `ADDRESS:PORT` of an IP VIP; IPv6 without brackets, as dcos-net has it. */
  readonly vip: string;
  readonly protocol: 'tcp' | 'udp';
  readonly backend: readonly { readonly ip: string; readonly port: number }[];
}

/**
 * Lists what this host forwards, for scripts written for DC/OS: every VIP with a backend, the two address families of a name
 * together, and backends as other hosts reach them. VIPs in conflict with another program's service are left out.
 */
export function vipsView({ desired, plan }: Pick<PassStatus, 'desired' | 'plan'>): readonly VipView[] {
  const taken = new Set(plan.conflicts.map(({ key }) => key));
  const views = new Map<
    string,
    { vip: string; protocol: VipView['protocol']; backend: VipView['backend'][number][] }
  >();
  for (const [key, service] of sorted(desired.services)) {
    if (taken.has(key)) continue;
    const vip = `${service.fqdn ?? service.address}:${service.port}`;
    const view = views.get(`${service.protocol}/${vip}`) ?? { vip, protocol: service.protocol, backend: [] };
    views.set(`${service.protocol}/${vip}`, view);
    for (const [, backend] of sorted(service.backends)) {
      const { address, port } = backend.hostPort ?? backend;
      view.backend.push({ ip: address, port });
    }
  }
  return [...views.values()].sort((a, b) => (a.vip < b.vip ? -1 : a.vip > b.vip ? 1 : 0));
}

/** Sorted, so that the same VIPs always give the same text and ETag. */
function sorted<Value>(entries: ReadonlyMap<string, Value>): [string, Value][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}
