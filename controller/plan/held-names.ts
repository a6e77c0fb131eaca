import type { Plan } from './plan.ts';

/** The names (`label.framework`) of VIPs that are held. */
export function heldNames({ services }: Plan): ReadonlySet<string> {
  const held = services.filter((service) => service.held && service.name !== null);
  return new Set(held.map(({ name, framework }) => `${name}.${framework}`));
}
