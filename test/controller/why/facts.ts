/** The facts of a working VIP, which tests change one by one. */

import { endpointKey } from '../../../controller/model/endpoint.ts';
import type { ObservedService } from '../../../controller/model/kernel.ts';
import type { AddressedVip, BackendFact, DesiredState, VipQuery } from '../../../controller/why/facts.ts';
import { parseVipQuery } from '../../../controller/why/query.ts';
import { WEIGHT_1, WLC } from '../../support/builders.ts';
import { observedBackend } from '../../support/observed.ts';

export function backend(address: string, what: Partial<BackendFact> = {}): BackendFact {
  const reason = what.weight === 0 ? 'running, health check failing: weight 0' : 'running, healthy';
  return { address, port: 31_000, weight: 1, forward: 'masquerade', reason, ...what };
}

export function vip(what: Partial<AddressedVip> = {}): AddressedVip {
  const { protocol = 'tcp', address = '11.0.0.1', port = 80 } = what;
  return {
    ...{ id: `${protocol}/${address}:${port}`, name: 'web', framework: 'marathon' },
    fqdn: 'web.marathon.l4lb.thisdcos.directory',
    ...{ protocol, address, port, apps: ['/group/web'], state: 'forwarding', reason: null },
    backends: [backend('10.0.0.1'), backend('10.0.0.2')],
    ...what,
  };
}

export function desired(what: Partial<DesiredState> = {}): DesiredState {
  return {
    from: { kind: 'controller', url: 'http://127.0.0.1:61421', dryRun: false },
    vips: [vip()],
    rejected: [],
    warnings: [],
    sources: [{ name: 'marathon=http://10.0.0.9:8080', failure: null }],
    incomplete: null,
    ...what,
  };
}

export const query = (text: string): VipQuery => parseVipQuery(text);

/** The kernel's service at the VIP, with these backends. */
export function inKernel(...backends: readonly BackendFact[]): ObservedService {
  const observed = backends.map((each) => {
    const { address, port, weight, forward } = each;
    return [
      endpointKey(each),
      { ...observedBackend({ address, port, ...WEIGHT_1 }), weight, forward },
    ] as const;
  });
  return { ...WLC, protocol: 'tcp', address: '11.0.0.1', port: 80, backends: new Map(observed) };
}
