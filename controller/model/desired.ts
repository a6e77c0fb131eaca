/** The desired state of one network namespace, and the VIPs that apps declare. */

import type { Port, Rejection } from './app.ts';
import type { Protocol } from './endpoint.ts';
import type { NameMemory } from './name-memory.ts';
import type { Service, ServiceKey } from './service.ts';

/** A VIP that an app declares, with or without backends; one for each protocol and app. */
export interface Declared {
  readonly app: string;
  readonly name: string | null;
  readonly framework: string | null;
  readonly fqdn: string | null;
  /** The literal address of an IP VIP; null for a named VIP. */
  readonly address: string | null;
  readonly protocol: Protocol;
  readonly port: number;
  readonly backends: number;
  /** Why the app has no backends for it, as text: `no task runs`; absent when it has some. */
  readonly withoutBackends?: string;
  readonly at: string;
  readonly mode: Port['mode'];
  readonly backendAddress: Port['backendAddress'];
  readonly container?: string;
}

/** Identifies a VIP: by its cleaned name and framework, or its address; and by protocol and port. */
export interface CalledVip extends Pick<Declared, 'name' | 'framework' | 'address' | 'port'> {
  readonly protocol: string;
}

/** The desired state: all that later stages need from the sources. */
export interface Desired {
  readonly services: ReadonlyMap<ServiceKey, Service>;
  /** Whether an app declares this VIP, with or without backends. */
  readonly declares: (vip: CalledVip) => boolean;
  /** Declared VIPs without a service, by key, with every declaration. */
  readonly withoutService: ReadonlyMap<string, readonly Declared[]>;
  readonly declared: readonly Declared[];
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
  readonly memory: NameMemory;
  /** Addresses of IP VIPs that were refused because they belong to someone, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
}
