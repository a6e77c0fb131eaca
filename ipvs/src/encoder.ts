import { familyOf, writeAddress } from './address.ts';
import { viewOf } from './codec.ts';
import {
  checkPort,
  checkThreshold,
  checkWeight,
  forwardingNumber,
  numberOf,
  toDestinationAttrs,
  toDestinationIdAttrs,
  toServiceAttrs,
  toServiceIdAttrs,
} from './convert.ts';
import { IpvsError } from './errors.ts';
import { GENL_HEADER } from './genl.ts';
import { MESSAGE_HEADER, writeHeader } from './message.ts';
import { HOST_IS_LE } from './scalars.ts';
import { commandAttrs, destinationAttrs, serviceAttrs } from './tables.ts';
import { nestTemplate, type Template } from './template.ts';
import type {
  AddressFamily,
  AddressServiceId,
  Change,
  Destination,
  ServiceId,
  VirtualService,
} from './types.ts';
import { GENL, IPPROTO, IPVS_CMD, NLM_F } from './uapi.ts';

/** What is sent at once. Larger sends were not faster, and take longer until the event loop runs again. */
export const SEND_BYTES = 32_768;

/** No message is longer: the longest names and every attribute come to less than 300 bytes. */
const MESSAGE_BYTES = 512;

const commands: Readonly<Record<Change['op'], number>> = {
  'add-service': IPVS_CMD.NEW_SERVICE,
  'update-service': IPVS_CMD.SET_SERVICE,
  'remove-service': IPVS_CMD.DEL_SERVICE,
  'add-destination': IPVS_CMD.NEW_DEST,
  'update-destination': IPVS_CMD.SET_DEST,
  'remove-destination': IPVS_CMD.DEL_DEST,
  zero: IPVS_CMD.ZERO,
};

const SERVICE_PLACES = ['address', 'port'] as const;
const ID_PLACES = ['protocol', 'address', 'port'] as const;
const DESTINATION_PLACES = [
  'address',
  'port',
  'forwardingMethod',
  'weight',
  'upperThreshold',
  'lowerThreshold',
] as const;
type ServiceTemplate = Template<(typeof SERVICE_PLACES)[number]>;

const idTemplates = perFamily((address) => {
  const bytes = commandAttrs.write({ service: toServiceIdAttrs({ protocol: 'tcp', address, port: 0 }) });
  return nestTemplate(bytes, serviceAttrs.rows, ID_PLACES);
});

const destinationTemplates = perFamily((address) => {
  const destination: Destination = { address, port: 0, weight: 0, forwardingMethod: 'masquerade' };
  const bytes = commandAttrs.write({ destination: toDestinationAttrs(destination) });
  return nestTemplate(bytes, destinationAttrs.rows, DESTINATION_PLACES);
});

function perFamily<T>(create: (anyAddress: string) => T): Readonly<Record<AddressFamily, T>> {
  return { ipv4: create('0.0.0.0'), ipv6: create('::') };
}

/** Writes IPVS messages one after the other into one buffer, which is used again for the next send. */
export class Encoder {
  readonly #family: number;
  readonly #bytes = new Uint8Array(SEND_BYTES);
  // Netlink aligns everything to four bytes, so that 32-bit values can be stored as such, in host order.
  readonly #words = new Uint32Array(this.#bytes.buffer);
  readonly #view = viewOf(this.#bytes);
  #at = 0;
  #last = 0;
  readonly #serviceTemplates = new Map<string, ServiceTemplate>();
  #service: VirtualService | undefined;
  #serviceTemplate: ServiceTemplate | undefined;
  #id: ServiceId | undefined;
  #idBytes: Uint8Array = new Uint8Array();

  /** `family` is the number of the IPVS family in this kernel. */
  constructor(family: number) {
    this.#family = family;
  }

  get hasRoom(): boolean {
    return this.#at + MESSAGE_BYTES <= SEND_BYTES;
  }

  /** What was written since the last `take`, with an acknowledgement asked of its last message. */
  take(): Uint8Array {
    const flags = this.#view.getUint16(this.#last + 6, HOST_IS_LE);
    // A dump is closed by its DONE instead.
    if ((flags & NLM_F.DUMP) === 0) this.#view.setUint16(this.#last + 6, flags | NLM_F.ACK, HOST_IS_LE);
    const bytes = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    // Whoever holds these may change them before the next send.
    this.#id = undefined;
    this.#service = undefined;
    return bytes;
  }

  /** Appends one change. Throws `invalid`, and has then appended nothing. */
  change(change: Change, seq: number): void {
    const start = this.#at;
    try {
      this.#at += MESSAGE_HEADER + GENL_HEADER;
      this.#attributes(change);
    } catch (cause) {
      this.#at = start;
      throw cause;
    }
    this.#finish(start, commands[change.op], NLM_F.REQUEST, seq);
  }

  /** Appends the request for a service's destinations. */
  listDestinations(id: ServiceId, seq: number): void {
    const start = this.#at;
    this.#at += MESSAGE_HEADER + GENL_HEADER;
    this.#putId(id);
    this.#finish(start, IPVS_CMD.GET_DEST, NLM_F.REQUEST | NLM_F.DUMP, seq);
  }

  #finish(start: number, command: number, flags: number, seq: number): void {
    writeHeader(this.#view, start, this.#at - start, this.#family, flags, seq);
    this.#view.setUint32(start + MESSAGE_HEADER, (command << 24) | (GENL.IPVS_VERSION << 16));
    this.#last = start;
  }

  #attributes(change: Change): void {
    switch (change.op) {
      case 'add-destination':
      case 'update-destination':
        this.#putId(change.service);
        this.#putDestination(change.destination);
        return;
      case 'remove-destination':
        this.#putId(change.service);
        this.#put(commandAttrs.write({ destination: toDestinationIdAttrs(change.destination) }));
        return;
      case 'add-service':
      case 'update-service':
        this.#putService(change.service);
        return;
      case 'remove-service':
        this.#putId(change.service);
        return;
      case 'zero':
        if (change.service) this.#putId(change.service);
        return;
      default:
        throw new IpvsError('invalid', `unknown change ${JSON.stringify((change as Change).op)}`);
    }
  }

  #put(bytes: Uint8Array): number {
    const at = this.#at;
    this.#bytes.set(bytes, at);
    this.#at = at + bytes.length;
    return at;
  }

  /** The nest that names a service. Changes come sorted by service, so the last one is likely to be asked for again. */
  #putId(id: ServiceId): void {
    if (this.#id === id) {
      this.#put(this.#idBytes);
      return;
    }
    const at = this.#at;
    if ('fwmark' in id) {
      this.#put(commandAttrs.write({ service: toServiceIdAttrs(id) }));
    } else {
      const { bytes, at: place } = idTemplates[familyOf(id.address)];
      this.#put(bytes);
      this.#view.setUint16(at + place.protocol, numberOf('protocol', IPPROTO, id.protocol), HOST_IS_LE);
      writeAddress(id.address, this.#bytes, at + place.address);
      this.#putPort(at + place.port, id.port);
    }
    this.#idBytes = this.#bytes.slice(at, this.#at);
    this.#id = id;
  }

  #putPort(at: number, port: number): void {
    checkPort(port);
    this.#bytes[at] = port >> 8;
    this.#bytes[at + 1] = port;
  }

  #putService(service: VirtualService): void {
    if ('fwmark' in service) {
      this.#put(commandAttrs.write({ service: toServiceAttrs(service) }));
      return;
    }
    const { bytes, at: place } = this.#templateOf(service);
    const at = this.#put(bytes);
    writeAddress(service.address, this.#bytes, at + place.address);
    this.#putPort(at + place.port, service.port);
  }

  #templateOf(service: VirtualService & AddressServiceId): ServiceTemplate {
    if (this.#serviceTemplate && this.#service && sameShape(service, this.#service))
      return this.#serviceTemplate;
    const { address, port: _, ...shape } = service;
    const key = `${familyOf(address)} ${JSON.stringify(shape)}`;
    let template = this.#serviceTemplates.get(key);
    if (!template) {
      const bytes = commandAttrs.write({ service: toServiceAttrs(service) });
      template = nestTemplate(bytes, serviceAttrs.rows, SERVICE_PLACES);
      this.#serviceTemplates.set(key, template);
    }
    this.#service = service;
    this.#serviceTemplate = template;
    return template;
  }

  #putDestination(destination: Destination): void {
    if (destination.tunnel) {
      this.#put(commandAttrs.write({ destination: toDestinationAttrs(destination) }));
      return;
    }
    const { address, port, weight, forwardingMethod, upperThreshold, lowerThreshold } = destination;
    const { bytes, at: place } = destinationTemplates[familyOf(address)];
    const at = this.#put(bytes);
    const words = this.#words;
    writeAddress(address, this.#bytes, at + place.address);
    this.#putPort(at + place.port, port);
    words[(at + place.forwardingMethod) >> 2] = forwardingNumber(forwardingMethod);
    words[(at + place.weight) >> 2] = checkWeight(weight);
    if (upperThreshold) words[(at + place.upperThreshold) >> 2] = checkThreshold(upperThreshold);
    if (lowerThreshold) words[(at + place.lowerThreshold) >> 2] = checkThreshold(lowerThreshold);
  }
}

/** Whether two services of one family differ in nothing but address and port. */
function sameShape(a: VirtualService & AddressServiceId, b: VirtualService): boolean {
  return (
    'address' in b &&
    a.protocol === b.protocol &&
    a.scheduler === b.scheduler &&
    a.schedulerFlags === b.schedulerFlags &&
    a.onePacket === b.onePacket &&
    a.persistence === b.persistence &&
    a.persistenceEngine === b.persistenceEngine &&
    familyOf(a.address) === familyOf(b.address)
  );
}
