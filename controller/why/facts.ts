/** What the checks are made on, each part read by one port when its turn comes. Reading changes nothing. */

import type { ObservedService, Rejection } from '../model.ts';

/** What is asked about: `my-service:5555/udp`. */
export interface Asked {
  /** As it was given. */
  readonly text: string;
  /** In lower case, without port and protocol: a name, DNS name, address or app. */
  readonly name: string;
  readonly port: number | null;
  readonly protocol: 'tcp' | 'udp' | null;
}

/** What should be: from the running controller, or read from the sources. */
export interface Known {
  readonly from:
    | { readonly kind: 'controller'; readonly url: string; readonly dryRun: boolean }
    | { readonly kind: 'sources' };
  readonly vips: readonly VipFact[];
  readonly rejected: readonly Rejection[];
  readonly sources: readonly SourceFact[];
  /** Why it is not known yet what should be; null where it is. */
  readonly incomplete: string | null;
}

export interface SourceFact {
  readonly name: string;
  /** Why it could not be read lately; null where it was. */
  readonly failure: string | null;
}

export interface VipFact {
  /** `tcp/11.0.0.1:80`; `tcp/web.marathon:80` of one that is in no table. */
  readonly id: string;
  readonly name: string | null;
  readonly framework: string | null;
  readonly fqdn: string | null;
  readonly protocol: string;
  readonly address: string | null;
  readonly port: number;
  readonly apps: readonly string[];
  /** As `status` has it. */
  readonly state: string;
  readonly reason: string | null;
  readonly backends: readonly BackendFact[];
}

export interface BackendFact {
  readonly address: string;
  readonly port: number;
  /** What the kernel should have. */
  readonly weight: number;
  readonly forward: string;
  readonly reason: string;
}

/** The kernel's service at the VIP's address and port (null: it has none), or why it cannot be read. */
export type KernelFact =
  | { readonly service: ObservedService | null }
  | { readonly error: string; readonly missing: boolean };

/** A VIP that has an address, and so a way to it. */
export type Reachable = VipFact & { readonly address: string };

/** Reads the facts. Nothing rejects besides `known`; what cannot be read is a fact too. */
export interface WhyPorts {
  /** Rejects where neither a controller nor a source can be asked. */
  known(signal: AbortSignal): Promise<Known>;
  kernel(vip: Reachable): Promise<KernelFact>;
}
