import { familyOf, writeAddress } from './address.ts';
import { viewOf } from './codec.ts';
import {
  checkPort,
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
import { MESSAGE_HEADER, MESSAGE_SEQ, MESSAGE_TYPE, writeHeader } from './message.ts';
import { HOST_IS_LE } from './scalars.ts';
import { commandAttrs } from './tables.ts';
import {
  destinationMessages,
  idTemplates,
  type ServiceTemplate,
  sameShape,
  serviceTemplate,
  shapeKey,
} from './template.ts';
import type { AddressServiceId, Change, Destination, ServiceId, VirtualService } from './types.ts';
import { GENL, IPPROTO, IPVS_CMD, NLM_F } from './uapi.ts';

/** Maximum bytes in a send. Larger sends were not faster, and block the event loop for longer. */
export const SEND_BYTES = 32_768;

/** Upper bound for one message: every attribute with the longest names takes less than 300 bytes. */
const MESSAGE_BYTES = 512;

/** Templates to keep. A usual table has services of a few kinds; with more kinds, templates do not help. */
const MAX_TEMPLATES = 64;

const commands: Readonly<Record<Change['op'], number>> = {
  'add-service': IPVS_CMD.NEW_SERVICE,
  'update-service': IPVS_CMD.SET_SERVICE,
  'remove-service': IPVS_CMD.DEL_SERVICE,
  'add-destination': IPVS_CMD.NEW_DEST,
  'update-destination': IPVS_CMD.SET_DEST,
  'remove-destination': IPVS_CMD.DEL_DEST,
  zero: IPVS_CMD.ZERO,
};

/** Encodes IPVS messages one after another into a buffer that is reused for each send. */
export class Encoder {
  readonly #family: number;
  readonly #bytes = new Uint8Array(SEND_BYTES);
  readonly #view = viewOf(this.#bytes);
  #at = 0;
  #last = 0;
  readonly #serviceTemplates = new Map<string, ServiceTemplate>();
  #service: VirtualService | undefined;
  #serviceTemplate: ServiceTemplate | undefined;

  /** @param family - Number of the IPVS family in this kernel, from `findIpvsFamily`. */
  constructor(family: number) {
    this.#family = family;
  }

  /** Returns the messages written since the last `take`; the last of them requests an acknowledgement. */
  take(): Uint8Array {
    const flags = this.#view.getUint16(this.#last + 6, HOST_IS_LE);
    // A dump ends with NLMSG_DONE instead.
    if ((flags & NLM_F.DUMP) === 0) this.#view.setUint16(this.#last + 6, flags | NLM_F.ACK, HOST_IS_LE);
    const taken = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    // The caller may change the service object before the next send.
    this.#service = undefined;
    return taken;
  }

  /** Appends a change. Returns false if there is no room for it. If it throws `invalid`, nothing was appended. */
  change(change: Change, seq: number): boolean {
    const start = this.#at;
    if (start + MESSAGE_BYTES > SEND_BYTES) return false;
    const command = commands[change.op];
    try {
      if (isPlain(change)) {
        this.#putDestinationMessage(command, change.service, change.destination, seq);
        return true;
      }
      this.#at += MESSAGE_HEADER + GENL_HEADER;
      this.#attributes(change);
    } catch (cause) {
      this.#at = start;
      throw cause;
    }
    this.#finish(start, command, NLM_F.REQUEST, seq);
    return true;
  }

  /** Appends a request for the destinations of a service. */
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
        this.#put(commandAttrs.write({ destination: toDestinationAttrs(change.destination) }));
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

  /** Writes the nest that identifies a service. */
  #putId(id: ServiceId): void {
    const at = this.#at;
    if ('fwmark' in id) {
      this.#put(commandAttrs.write({ service: toServiceIdAttrs(id) }));
    } else {
      const family = familyOf(id.address);
      const { bytes: template, at: place } = idTemplates[family];
      this.#put(template);
      this.#view.setUint16(at + place.protocol, numberOf('protocol', IPPROTO, id.protocol), HOST_IS_LE);
      writeAddress(id.address, family, this.#bytes, at + place.address);
      this.#putPort(at + place.port, id.port);
    }
  }

  #putPort(at: number, port: number): void {
    this.#view.setUint16(at, checkPort(port));
  }

  #putService(service: VirtualService): void {
    if ('fwmark' in service) {
      this.#put(commandAttrs.write({ service: toServiceAttrs(service) }));
      return;
    }
    const { bytes, at: place } = this.#templateOf(service);
    const at = this.#put(bytes);
    writeAddress(service.address, familyOf(service.address), this.#bytes, at + place.address);
    this.#putPort(at + place.port, service.port);
  }

  #templateOf(service: VirtualService & AddressServiceId): ServiceTemplate {
    if (this.#serviceTemplate && this.#service && sameShape(service, this.#service))
      return this.#serviceTemplate;
    const key = shapeKey(service);
    let template = this.#serviceTemplates.get(key);
    if (!template) {
      template = serviceTemplate(service);
      if (this.#serviceTemplates.size >= MAX_TEMPLATES) this.#serviceTemplates.clear();
      this.#serviceTemplates.set(key, template);
    }
    this.#service = service;
    this.#serviceTemplate = template;
    return template;
  }

  /**
   * Writes a whole message in one function, with as few writes as possible: most changes of a large table are of this kind,
   * and right after the start of the process, before V8 has optimized it, each call and each value counts.
   */
  #putDestinationMessage(
    command: number,
    id: AddressServiceId,
    { address, port, weight, forwardingMethod }: Destination,
    seq: number,
  ): void {
    const idFamily = familyOf(id.address);
    const family = familyOf(address);
    const { bytes: template, service, destination } = destinationMessages[idFamily][family];
    const at = this.#at;
    const bytes = this.#bytes;
    const view = this.#view;
    bytes.set(template, at);
    view.setUint16(at + MESSAGE_TYPE, this.#family, HOST_IS_LE);
    view.setUint32(at + MESSAGE_SEQ, seq, HOST_IS_LE);
    bytes[at + MESSAGE_HEADER] = command;
    view.setUint16(at + service.protocol, numberOf('protocol', IPPROTO, id.protocol), HOST_IS_LE);
    writeAddress(id.address, idFamily, bytes, at + service.address);
    view.setUint16(at + service.port, checkPort(id.port));
    writeAddress(address, family, bytes, at + destination.address);
    view.setUint16(at + destination.port, checkPort(port));
    view.setUint32(at + destination.forwardingMethod, forwardingNumber(forwardingMethod), HOST_IS_LE);
    view.setUint32(at + destination.weight, checkWeight(weight), HOST_IS_LE);
    this.#last = at;
    this.#at = at + template.length;
  }
}

type PlainChange = Extract<Change, { readonly destination: Destination }> & {
  readonly service: AddressServiceId;
};

/** Whether the templates of whole messages can express this change: they have no tunnel, and zeros for the thresholds. */
function isPlain(change: Change): change is PlainChange {
  if (change.op !== 'add-destination' && change.op !== 'update-destination') return false;
  const { tunnel, upperThreshold, lowerThreshold } = change.destination;
  if (tunnel !== undefined || upperThreshold !== undefined || lowerThreshold !== undefined) return false;
  return !('fwmark' in change.service);
}
