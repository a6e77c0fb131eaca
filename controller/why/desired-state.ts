import { endpointKey } from '../model/endpoint.ts';
import type { Service } from '../model/service.ts';
import type { PassStatus } from '../pass-status.ts';
import type { StatusDocument } from '../status/document.ts';
import type { DesiredState, VipFact } from './facts.ts';

/** Takes the desired state from the status of the running controller. */
export function desiredFromStatus(status: StatusDocument, url: string): DesiredState {
  const sources = status.sources.map(({ name, failure }) => ({ name, failure: failure?.message ?? null }));
  const unread = sources.map(({ name, failure }) => `${name}: ${failure ?? 'not answered yet'}`).join('; ');
  return {
    from: { kind: 'controller', url, dryRun: status.dryRun },
    vips: status.vips,
    rejected: status.rejected,
    warnings: status.warnings,
    sources,
    incomplete:
      status.lastPass === null
        ? `the controller has not read every source since it started: ${unread}`
        : null,
  };
}

/** Takes the desired state from a dry-run pass over the sources. */
export function desiredFromPass({ desired, plan }: PassStatus, sources: readonly string[]): DesiredState {
  const conflicts = new Map(plan.conflicts.map(({ key, reason }) => [key, reason]));
  const served = [...desired.services].map(([id, service]) => servedVip(id, service, conflicts.get(id)));
  const withoutService = [...desired.withoutService.values()].flatMap(([first, ...others]): VipFact[] => {
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
    vips: [...served, ...withoutService],
    rejected: desired.rejected,
    warnings: desired.warnings,
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
