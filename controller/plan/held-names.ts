import type { Memory, NamedAddresses } from '../model.ts';
import type { Plan } from './plan.ts';

/**
 * The memory with the addresses of names whose VIPs are held, although no app declares them: nobody else may get
 * those addresses while the kernel forwards for them. `before` where it says the same, so that nothing is saved.
 */
export function rememberHeldNames(memory: Memory, before: Memory, { services }: Plan): Memory {
  const missing = new Map<string, NamedAddresses>();
  for (const { held, name, framework } of services) {
    if (!held) continue;
    const key = `${name}.${framework}`;
    const addresses = before.addresses.get(key);
    if (addresses !== undefined && !memory.addresses.has(key)) missing.set(key, addresses);
  }
  if (missing.size === 0) return memory;
  const addresses = new Map([...memory.addresses, ...missing]);
  const same = addresses.size === before.addresses.size && memory.labels === before.labels;
  const unchanged =
    same && [...addresses].every(([key, value]) => sameAddresses(value, before.addresses.get(key)));
  return unchanged ? before : { ...memory, addresses };
}

/** The names (`label.framework`) of VIPs that are held. */
export function heldNames({ services }: Plan): ReadonlySet<string> {
  const held = services.filter((service) => service.held && service.name !== null);
  return new Set(held.map(({ name, framework }) => `${name}.${framework}`));
}

function sameAddresses(a: NamedAddresses, b: NamedAddresses | undefined): boolean {
  return b !== undefined && a.ipv4 === b.ipv4 && a.ipv6 === b.ipv6;
}
