import { type ServiceAddress, type ServiceKey, type Step, serviceKey } from '../model.ts';

const keys = new WeakMap<ServiceAddress, ServiceKey>();

/** `serviceKey` of the service that a step is about; remembered, since steps of one service share what names it. */
export function stepKey({ service }: Step): ServiceKey {
  let key = keys.get(service);
  if (key === undefined) {
    key = serviceKey(service);
    keys.set(service, key);
  }
  return key;
}
