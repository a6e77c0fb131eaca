/** Whether what the kernel has is what we write. Only what can be written counts; the kernel adds counters of its own. */

import type { Backend, ObservedBackend, ObservedService, ServiceSettings } from '../model.ts';

/** Whether the service itself has these settings, and none that we never write. */
export function settingsAgree(want: ServiceSettings, have: ObservedService): boolean {
  return (
    want.scheduler === have.scheduler &&
    want.persistenceSeconds === have.persistenceSeconds &&
    have.flags === 0 &&
    have.persistencePrefix === (have.address.includes(':') ? 128 : 32)
  );
}

/** Whether the backend is there with this weight. */
export function backendAgrees(want: Pick<Backend, 'weight'>, have: ObservedBackend | undefined): boolean {
  return (
    have !== undefined &&
    have.weight === want.weight &&
    have.forward === MASQUERADE &&
    have.upperThreshold + have.lowerThreshold === 0
  );
}

const MASQUERADE: Backend['forward'] = 'masquerade';
