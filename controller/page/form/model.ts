/** What the form of a service shows: the Network tab of DC/OS, and what a service needs besides. */

import type { JsonObject } from './json.ts';

export type NetworkMode = 'host' | 'bridge' | 'virtual';

/** Numbers are as typed; empty where nothing is. */
export interface ServiceForm {
  readonly id: string;
  readonly cmd: string;
  readonly image: string;
  readonly instances: string;
  readonly cpus: string;
  readonly mem: string;
  readonly mode: NetworkMode;
  /** Of a virtual network. */
  readonly networkName: string;
  /** Host networking: host ports are assigned automatically (`requirePorts` is false). */
  readonly automatic: boolean;
  readonly endpoints: readonly EndpointForm[];
  /** Why networking can be edited as JSON only; null where the form can show it. */
  readonly beyond: string | null;
}

/** A service endpoint: a portDefinition or a portMapping. */
export interface EndpointForm {
  /** Tells it from others of the list while it is edited. */
  readonly key: number;
  readonly name: string;
  readonly containerPort: string;
  /** Virtual network: it has a host port too. */
  readonly mapped: boolean;
  readonly hostPort: string;
  /** Bridge and virtual: the host port is assigned automatically. */
  readonly automatic: boolean;
  readonly tcp: boolean;
  readonly udp: boolean;
  /** Load balanced at these; empty: not enabled. */
  readonly vips: readonly VipForm[];
  /** What it was read from, with all that the form does not show; empty for a new one. */
  readonly given: JsonObject;
}

/** One address at which an endpoint is load balanced: a VIP label. */
export interface VipForm {
  /** The label's key; null: `VIP_` and a free number. */
  readonly label: string | null;
  /** Name or address; null: the id of the app, whatever that becomes. */
  readonly name: string | null;
  /** Empty: the endpoint's own port. */
  readonly port: string;
  /** The label's value where it has not been edited. */
  readonly given: string | null;
}

/** What a new service starts from: the defaults of DC/OS. */
export const NEW_APP: JsonObject = {
  id: '/',
  cmd: '',
  instances: 1,
  cpus: 0.1,
  mem: 128,
  networks: [{ mode: 'host' }],
  portDefinitions: [],
  requirePorts: false,
};

/** An endpoint as `+ Add an endpoint` makes it. */
export function newEndpoint(key: number): EndpointForm {
  return {
    key,
    name: '',
    containerPort: '',
    mapped: false,
    hostPort: '',
    automatic: true,
    tcp: true,
    udp: false,
    vips: [],
    given: {},
  };
}

export const NEW_VIP: VipForm = { label: null, name: null, port: '', given: null };

/** Ids as Marathon completes them: what has no slash in front is in the root group. */
export function absoluteId(id: string): string {
  return id.startsWith('/') ? id : `/${id}`;
}
