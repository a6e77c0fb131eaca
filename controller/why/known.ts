import { endpointKey, type Service } from '../model.ts';
import type { PassStatus } from '../pass-status.ts';
import type { StatusDocument } from '../status/document.ts';
import type { Known, VipFact } from './facts.ts';

/** What should be, as the running controller tells it. */
export function knownFromStatus(status: StatusDocument, url: string): Known {
  const sources = status.sources.map(({ name, failure }) => ({ name, failure: failure?.message ?? null }));
  const unread = sources.map(({ name, failure }) => `${name}: ${failure ?? 'not answered yet'}`).join('; ');
  return {
    from: { kind: 'controller', url, dryRun: status.dryRun },
    vips: status.vips,
    rejected: status.rejected,
    sources,
    incomplete:
      status.lastPass === null
        ? `the controller has not read every source since it started: ${unread}`
        : null,
  };
}

/** The same from one pass that changed nothing. */
export function knownFromPass({ desired, plan }: PassStatus, sources: readonly string[]): Known {
  const conflicts = new Map(plan.conflicts.map(({ key, reason }) => [key, reason]));
  const served = [...desired.services].map(([id, service]) => servedVip(id, service, conflicts.get(id)));
  const unserved = [...desired.unserved.values()].flatMap(([first, ...others]): VipFact[] => {
    if (first === undefined) return [];
    const { name, framework, fqdn, protocol, address, port } = first;
    const where =
      name === null ? endpointKey({ address: address ?? '', port }) : `${name}.${framework}:${port}`;
    return [
      {
        ...{ id: `${protocol}/${where}`, name, framework, fqdn, protocol, port, address, backends: [] },
        apps: [...new Set([first, ...others].map(({ app }) => app))],
        state: 'no backend',
        reason: first.withoutBackends ?? null,
      },
    ];
  });
  return {
    from: { kind: 'sources' },
    vips: [...served, ...unserved],
    rejected: desired.rejected,
    sources: sources.map((name) => ({ name, failure: null })),
    incomplete: null,
  };
}

function servedVip(id: string, service: Service, conflict: string | undefined): VipFact {
  const { name, framework, fqdn, protocol, address, port, apps } = service;
  return {
    ...{ id, name, framework, fqdn, protocol, address, port, apps },
    state: conflict === undefined ? 'forwarding' : 'conflict',
    reason: conflict ?? null,
    backends: [...service.backends.values()],
  };
}
