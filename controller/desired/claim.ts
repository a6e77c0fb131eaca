import type { Family } from '../address.ts';
import type { Backend, BackendKey, Declared, Protocol } from '../model.ts';
import type { PortOptions } from '../settings/label-options.ts';
import type { Naming } from './port-reading.ts';
import type { Target } from './target.ts';

/** One app's request for a VIP over one protocol, with the backends that the app contributes. */
export interface Claim {
  /** Key of the VIP, shared by all apps that ask for it: `tcp/web.marathon.l4lb.thisdcos.directory:80`. */
  readonly key: string;
  /** App, framework and path. Where apps share a VIP, the claim whose place sorts first decides its settings. */
  readonly place: string;
  readonly target: Target;
  readonly protocol: Protocol;
  readonly options: PortOptions;
  readonly declared: Declared;
  readonly backends: Readonly<Record<Family, ReadonlyMap<BackendKey, Backend>>>;
}

/** The parts of the configuration that claims depend on. */
export interface ClaimRules extends Naming {
  /** The address families of named VIPs. */
  readonly namedFamilies: readonly Family[];
  /** The pool of named VIPs that contains an address, as text; null when none does. */
  readonly poolOf: (address: string) => string | null;
}
