/** The data of the service form: the fields of DC/OS's Network tab, and the basic fields of a service. */

import type { JsonObject } from './json.ts';

export type NetworkMode = 'host' | 'bridge' | 'virtual';

/** Numbers are kept as entered, empty if nothing was. */
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
  /** Why networking can only be edited as JSON; null if the form can show it. */
  readonly beyond: string | null;
}

/** A service endpoint: a portDefinition or a portMapping. */
export interface EndpointForm {
  /** Identifies the endpoint while the list is edited. */
  readonly key: number;
  readonly name: string;
  readonly containerPort: string;
  /** In a virtual network: whether it is mapped to a host port. */
  readonly mapped: boolean;
  readonly hostPort: string;
  /** In a bridge or virtual network: whether the host port is assigned automatically. */
  readonly automatic: boolean;
  readonly tcp: boolean;
  readonly udp: boolean;
  /** Empty if load balancing is off. */
  readonly vips: readonly VipForm[];
  /** The JSON it was read from, including what the form does not show; empty for a new endpoint. */
  readonly given: JsonObject;
}

/** One address at which an endpoint is load balanced: a VIP label. */
export interface VipForm {
  /** The label's key; null for `VIP_` with the next free number. */
  readonly label: string | null;
  /** Name or address; null to follow the app's id. */
  readonly name: string | null;
  /** Empty for the endpoint's own port. */
  readonly port: string;
  /** The label's value if it has not been edited; else null. */
  readonly given: string | null;
}

/** The initial definition of a new service: the defaults of DC/OS. */
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

/** A new endpoint, as added by `+ Add an endpoint`. */
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

/** An absolute id: like Marathon, this puts an id without a leading slash into the root group. */
export function absoluteId(id: string): string {
  return id.startsWith('/') ? id : `/${id}`;
}
