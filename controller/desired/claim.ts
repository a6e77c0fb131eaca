import type { PortOptions } from '../label-options.ts';
import type { Backend, BackendKey, Declared, Family, Protocol } from '../model.ts';
import type { Naming } from './port-reading.ts';
import type { Target } from './target.ts';

/** That one app asks for one VIP over one protocol, and what it puts behind it. */
export interface Claim {
  /** The same for all apps that ask for this VIP: `tcp/web.marathon.l4lb.thisdcos.directory:80`. */
  readonly key: string;
  /** App, framework and path; of apps that share a VIP, the one whose place sorts first decides. */
  readonly place: string;
  readonly target: Target;
  readonly protocol: Protocol;
  readonly options: PortOptions;
  readonly declared: Declared;
  readonly backends: Readonly<Record<Family, ReadonlyMap<BackendKey, Backend>>>;
}

/** What of a host's configuration decides what an app claims. */
export interface ClaimRules extends Naming {
  /** The families in which named VIPs get addresses. */
  readonly namedFamilies: readonly Family[];
  /** The pool of named VIPs that an address lies in, as text; null: none. */
  readonly poolOf: (address: string) => string | null;
}
