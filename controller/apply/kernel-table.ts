import { constants } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import {
  type AddressServiceId,
  type Change,
  type Destination,
  IpvsClient,
  type IpvsError,
  isIpvsError,
  type ObservedDestination,
  type TableEntry,
  type VirtualService,
} from 'ipvs-netlink-ts';
import { type Family, familyOf } from '../address.ts';
import { ControllerError, messageOf } from '../errors.ts';
import { type BackendKey, type Endpoint, endpointKey } from '../model/endpoint.ts';
import type { ObservedBackend, ObservedService, Step, Table } from '../model/kernel.ts';
import { type ServiceAddress, type ServiceKey, serviceKey } from '../model/service.ts';
import type { IpvsTable, StepFailure } from '../ports.ts';
import type { Writable } from '../settings/rows.ts';
import {
  type BackendSettings,
  backendFields,
  NO_BACKEND,
  type ServiceSettings,
  serviceFields,
} from '../settings/settings.ts';

/**
 * Opens the kernel's IPVS table over netlink. Rejects with a `ControllerError` 'kernel' that says what this host
 * lacks, the module or the right to use it, and the command that fixes it.
 */
export async function openKernelTable(): Promise<IpvsTable> {
  return createKernelTable(await openKernelClient(), await openKernelClient(REST_MS));
}

/** A client for other uses than the table; rejects as `openKernelTable` does. */
export async function openKernelClient(restMs = 0): Promise<IpvsClient> {
  return await IpvsClient.open({ restMs }).catch(refuse);
}

const { EINVAL, ENOENT } = constants.errno;

/** The number of services between two yields to the event loop. */
const STRETCH = 256;

/** Rests of a read in the background, which leave it a third of the time at most: writes are more urgent, on one processor too. */
const REST_MS = 6;

/**
 * The table behind open clients; `close` closes them. Reads in the background go through `reader`: with a client of its own for
 * them, steps need not wait.
 */
export function createKernelTable(client: IpvsClient, reader: IpvsClient = client): IpvsTable {
  return {
    async observe(only): Promise<Table> {
      if (only === undefined) return await toTable(await client.listTable(toObserved).catch(refuse));
      return await toTable((await entriesOf(client, only).catch(refuse)).map(toObserved));
    },

    async observeInBackground(keep) {
      const taken = reader.listTable((entry) => {
        const observed = toObserved(entry);
        return observed === null ? null : keep(observed);
      });
      return await toTable(await taken.catch(refuse));
    },

    async apply(steps): Promise<readonly StepFailure[]> {
      const first = await attempt(client, steps);
      const failures: Refusal[] = [];
      const otherwise = new Map<Step, Step>();
      for (const failure of first) {
        const other = alternative(failure.step, failure.error);
        if (other === null) failures.push(failure);
        else otherwise.set(other, failure.step);
      }
      for (const { step, error } of await attempt(client, [...otherwise.keys()]))
        failures.push({ step: otherwise.get(step) ?? step, error });
      return failures.map(withReason);
    },

    close() {
      client.close();
      reader.close();
    },
  };
}

async function toTable(services: readonly (ObservedService | null)[]): Promise<Table> {
  const table = new Map<ServiceKey, ObservedService>();
  for (const [index, observed] of services.entries()) {
    if (index % STRETCH === STRETCH - 1) await setImmediate();
    if (observed !== null) table.set(serviceKey(observed), observed);
  }
  return table;
}

/** The entries of these services, without those that the kernel lacks. */
async function entriesOf(client: IpvsClient, services: Iterable<ServiceAddress>): Promise<TableEntry[]> {
  const entries = await Promise.all(
    [...services].map(async (address): Promise<TableEntry[]> => {
      const id = toId(address);
      try {
        const [service, destinations] = await Promise.all([
          client.getService(id),
          client.listDestinations(id),
        ]);
        return [{ service, destinations }];
      } catch (error) {
        if (isIpvsError(error, 'not-found')) return [];
        throw error;
      }
    }),
  );
  return entries.flat();
}

interface Refusal {
  readonly step: Step;
  readonly error: IpvsError;
}

/** Applies the steps. A removal of what the kernel lacks is no failure. */
async function attempt(client: IpvsClient, steps: readonly Step[]): Promise<Refusal[]> {
  if (steps.length === 0) return [];
  const refusals: Refusal[] = [];
  for (const { index, error } of await client.batch(steps.map(toChange)).catch(refuse)) {
    const step = steps[index];
    if (step === undefined || isAlreadySo(step, error)) continue;
    refusals.push({ step, error });
  }
  return refusals;
}

/**
 * ENOENT, of a service: `ip_vs_add_service` and `ip_vs_edit_service` look for the scheduler before anything else. EINVAL, of a
 * new destination: `ip_vs_new_dest` refuses what is not unicast (`ip_vs_ctl.c`).
 */
function withReason({ step, error }: Refusal): StepFailure {
  if (isIpvsError(error, 'unsupported') && error.errno === ENOENT && 'scheduler' in step.service)
    return { step, error, why: 'no-scheduler' };
  if (step.op === 'add-service' && isIpvsError(error, 'exists')) return { step, error, why: 'exists' };
  if (step.op === 'add-backend' && isIpvsError(error, 'invalid') && error.errno === EINVAL)
    return { step, error, why: 'refused-backend' };
  return { step, error };
}

function isAlreadySo({ op }: Step, error: IpvsError): boolean {
  return (op === 'remove-service' || op === 'remove-backend') && isIpvsError(error, 'not-found');
}

/**
 * The step with the same effect when the kernel is not quite as it was read: an update of a backend that exists, an addition of
 * what does not. null for others, also for a service to add that exists: another program has added it since the table was read.
 */
function alternative(step: Step, error: IpvsError): Step | null {
  switch (step.op) {
    case 'add-backend':
      return isIpvsError(error, 'exists') ? { ...step, op: 'update-backend' } : null;
    case 'update-service':
      return isIpvsError(error, 'not-found') ? { ...step, op: 'add-service' } : null;
    case 'update-backend':
      return isIpvsError(error, 'not-found') ? { ...step, op: 'add-backend' } : null;
    default:
      return null;
  }
}

function refuse(error: unknown): never {
  const hint = isIpvsError(error, 'not-permitted')
    ? '; run as root, or give the unit or the container NET_ADMIN'
    : '';
  const retry = isIpvsError(error, 'timeout') || isIpvsError(error, 'interrupted') ? 'later' : 'never';
  const message = `the kernel's IPVS table cannot be used: ${messageOf(error)}${hint}`;
  throw new ControllerError('kernel', message, { cause: error, retry });
}

function toChange(step: Step): Change {
  const service = toId(step.service);
  switch (step.op) {
    case 'add-service':
    case 'update-service':
      return { op: step.op, service: toVirtualService(step.service) };
    case 'remove-service':
      return { op: 'remove-service', service };
    case 'add-backend':
      return { op: 'add-destination', service, destination: toDestination(step.backend) };
    case 'update-backend':
      return { op: 'update-destination', service, destination: toDestination(step.backend) };
    case 'remove-backend':
      return { op: 'remove-destination', service, destination: step.backend };
  }
}

function toId({ protocol, address, port }: ServiceAddress): AddressServiceId {
  // Steps come from desired services (tcp, udp) and from observed ones, whose protocol the library itself gave.
  return { protocol: protocol as AddressServiceId['protocol'], address, port };
}

function toVirtualService(service: ServiceAddress & ServiceSettings): VirtualService {
  const written: Writable<VirtualService> = { ...toId(service), scheduler: service.scheduler };
  serviceFields.write(service, written);
  return written;
}

function toDestination(backend: Endpoint & BackendSettings): Destination {
  const { address, port, weight } = backend;
  const written: Writable<Destination> = { address, port, weight, forwardingMethod: 'masquerade' };
  backendFields.write(backend, written);
  return written;
}

/** null for a service by firewall mark, which has no address. */
function toObserved({ service, destinations }: TableEntry): ObservedService | null {
  if ('fwmark' in service) return null;
  const { protocol, address, port } = service;
  const family = familyOf(address);
  const backends = new Map<BackendKey, ObservedBackend>();
  for (const destination of destinations)
    backends.set(endpointKey(destination), toObservedBackend(destination, family));
  const settings = serviceFields.fromKernel(service, family, { ...serviceFields.unset });
  return { protocol, address, port, ...settings, backends };
}

function toObservedBackend(destination: ObservedDestination, family: Family): ObservedBackend {
  const backend: Writable<ObservedBackend> = { ...NO_BACKEND };
  backend.address = destination.address;
  backend.port = destination.port;
  backend.activeConnections = destination.activeConnections;
  backend.inactiveConnections = destination.inactiveConnections;
  return backendFields.fromKernel(destination, family, backend);
}
