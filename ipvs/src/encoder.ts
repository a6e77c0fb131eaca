import { familyOf, writeAddress } from './address.ts';
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
import { createMemory } from './memory.ts';
import { MESSAGE_HEADER, writeHeader } from './message.ts';
import { HOST_IS_LE } from './scalars.ts';
import { commandAttrs } from './tables.ts';
import {
  type DestinationTemplate,
  destinationTemplates,
  idTemplates,
  type ServiceTemplate,
  sameShape,
  serviceTemplate,
  shapeKey,
} from './template.ts';
import type {
  AddressFamily,
  AddressServiceId,
  Change,
  Destination,
  ForwardingMethod,
  ServiceId,
  VirtualService,
} from './types.ts';
import { GENL, IPPROTO, IPVS_CMD, NLM_F } from './uapi.ts';

/** What is sent at once. Larger sends were not faster, and take longer until the event loop runs again. */
export const SEND_BYTES = 32_768;

/** No message is longer: the longest names and every attribute come to less than 300 bytes. */
const MESSAGE_BYTES = 512;

/** Tables have services of a few kinds; what has more is no run of the same. */
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

type DestinationChange = Extract<Change, { readonly destination: Destination }>;

/** The last message, where the next may be a copy of it with another destination. */
interface Copied {
  readonly op: DestinationChange['op'];
  readonly id: ServiceId;
  readonly forwardingMethod: ForwardingMethod;
  readonly family: AddressFamily;
  /** Where its destination begins, counted from the beginning of the message, and what is where in that. */
  readonly destinationAt: number;
  readonly place: DestinationTemplate['at'];
}

/** Writes IPVS messages one after the other into one buffer, which is used again for the next send. */
export class Encoder {
  readonly #family: number;
  readonly #memory = createMemory(SEND_BYTES);
  #at = 0;
  #last = 0;
  readonly #serviceTemplates = new Map<string, ServiceTemplate>();
  #service: VirtualService | undefined;
  #serviceTemplate: ServiceTemplate | undefined;
  #id: ServiceId | undefined;
  #idBytes: Uint8Array = new Uint8Array();
  #copied: Copied | undefined;

  /** `family` is the number of the IPVS family in this kernel. */
  constructor(family: number) {
    this.#family = family;
  }

  /** What was written since the last `take`, with an acknowledgement asked of its last message. */
  take(): Uint8Array {
    const { bytes, halves } = this.#memory;
    const flags = halves[(this.#last + 6) >> 1] as number;
    // A dump is closed by its DONE instead.
    if ((flags & NLM_F.DUMP) === 0) halves[(this.#last + 6) >> 1] = flags | NLM_F.ACK;
    const taken = bytes.subarray(0, this.#at);
    this.#at = 0;
    // Whoever holds these may change them before the next send.
    this.#id = undefined;
    this.#service = undefined;
    this.#copied = undefined;
    return taken;
  }

  /** Appends one change. False when there is no room for it. Throws `invalid`, and has then appended nothing. */
  change(change: Change, seq: number): boolean {
    const start = this.#at;
    if (start + MESSAGE_BYTES > SEND_BYTES) return false;
    try {
      if (this.#copied !== undefined && this.#copyLast(this.#copied, change, seq)) return true;
      this.#copied = undefined;
      this.#at += MESSAGE_HEADER + GENL_HEADER;
      this.#attributes(change);
    } catch (cause) {
      this.#at = start;
      this.#copied = undefined;
      throw cause;
    }
    this.#finish(start, commands[change.op], NLM_F.REQUEST, seq);
    return true;
  }

  /** Appends the request for a service's destinations. */
  listDestinations(id: ServiceId, seq: number): void {
    const start = this.#at;
    this.#at += MESSAGE_HEADER + GENL_HEADER;
    this.#putId(id);
    this.#finish(start, IPVS_CMD.GET_DEST, NLM_F.REQUEST | NLM_F.DUMP, seq);
  }

  #finish(start: number, command: number, flags: number, seq: number): void {
    const { bytes, view } = this.#memory;
    writeHeader(view, start, this.#at - start, this.#family, flags, seq);
    view.setUint32(start + MESSAGE_HEADER, 0);
    bytes[start + MESSAGE_HEADER] = command;
    bytes[start + MESSAGE_HEADER + 1] = GENL.IPVS_VERSION;
    this.#last = start;
  }

  /**
   * Most changes are a run of the same for one service, and to patch a copy is cheaper than anything else. False when
   * more differs than what can be patched. All in one function: each that runs hot costs a fresh process compilations.
   */
  #copyLast(copied: Copied, change: Change, seq: number): boolean {
    if (copied.op !== change.op || copied.id !== change.service) return false;
    const { destination } = change as DestinationChange;
    const { address, port, weight, forwardingMethod } = destination;
    if (copied.forwardingMethod !== forwardingMethod || !isPlain(destination)) return false;
    if (copied.family !== familyOf(address)) return false;

    const { bytes, words } = this.#memory;
    const { place } = copied;
    const start = this.#at;
    const at = start + copied.destinationAt;
    bytes.copyWithin(start, this.#last, start);
    words[(start + 8) >> 2] = seq;
    writeAddress(address, copied.family, bytes, at + place.address);
    if ((port & 0xffff) !== port) checkPort(port);
    bytes[at + place.port] = port >> 8;
    bytes[at + place.port + 1] = port;
    words[(at + place.weight) >> 2] = checkWeight(weight);
    this.#at += start - this.#last;
    this.#last = start;
    return true;
  }

  #attributes(change: Change): void {
    switch (change.op) {
      case 'add-destination':
      case 'update-destination':
        this.#putId(change.service);
        this.#putDestination(change);
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
    this.#memory.bytes.set(bytes, at);
    this.#at = at + bytes.length;
    return at;
  }

  /** The nest that names a service. */
  #putId(id: ServiceId): void {
    if (this.#id === id) {
      this.#put(this.#idBytes);
      return;
    }
    const { bytes, view } = this.#memory;
    const at = this.#at;
    if ('fwmark' in id) {
      this.#put(commandAttrs.write({ service: toServiceIdAttrs(id) }));
    } else {
      const family = familyOf(id.address);
      const { bytes: template, at: place } = idTemplates[family];
      this.#put(template);
      view.setUint16(at + place.protocol, numberOf('protocol', IPPROTO, id.protocol), HOST_IS_LE);
      writeAddress(id.address, family, bytes, at + place.address);
      this.#putPort(at + place.port, id.port);
    }
    this.#idBytes = bytes.slice(at, this.#at);
    this.#id = id;
  }

  #putPort(at: number, port: number): void {
    const { bytes } = this.#memory;
    checkPort(port);
    bytes[at] = port >> 8;
    bytes[at + 1] = port;
  }

  #putService(service: VirtualService): void {
    if ('fwmark' in service) {
      this.#put(commandAttrs.write({ service: toServiceAttrs(service) }));
      return;
    }
    const { bytes, at: place } = this.#templateOf(service);
    const at = this.#put(bytes);
    writeAddress(service.address, familyOf(service.address), this.#memory.bytes, at + place.address);
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

  #putDestination({ op, service, destination }: DestinationChange): void {
    if (!isPlain(destination)) {
      this.#put(commandAttrs.write({ destination: toDestinationAttrs(destination) }));
      return;
    }
    const { address, port, weight, forwardingMethod } = destination;
    const family = familyOf(address);
    const { bytes: template, at: place } = destinationTemplates[family];
    const start = this.#at - this.#idBytes.length - GENL_HEADER - MESSAGE_HEADER;
    const at = this.#put(template);
    const { bytes, words } = this.#memory;
    writeAddress(address, family, bytes, at + place.address);
    this.#putPort(at + place.port, port);
    words[(at + place.forwardingMethod) >> 2] = forwardingNumber(forwardingMethod);
    words[(at + place.weight) >> 2] = checkWeight(weight);
    this.#copied = { op, id: service, forwardingMethod, family, place, destinationAt: at - start };
  }
}

/** What the destination template has room for; it has zeros for the thresholds. */
function isPlain({ tunnel, upperThreshold, lowerThreshold }: Destination): boolean {
  return tunnel === undefined && upperThreshold === undefined && lowerThreshold === undefined;
}
