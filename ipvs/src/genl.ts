import { IpvsError, isIpvsError } from './errors.ts';
import type { NetlinkSocket } from './netlink-socket.ts';
import { sendRequest } from './request.ts';
import { familyAttrs } from './tables.ts';
import { GENL } from './uapi.ts';

/** `struct genlmsghdr`: command, version, two reserved bytes. <linux/genetlink.h> */
export const GENL_HEADER = 4;

/** Builds the payload of a generic netlink message: its header and the attributes. */
export function genlPayload(command: number, version: number, attributes?: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(GENL_HEADER + (attributes?.length ?? 0));
  bytes[0] = command;
  bytes[1] = version;
  if (attributes) bytes.set(attributes, GENL_HEADER);
  return bytes;
}

/**
 * Looks up the number that the kernel assigned to the IPVS family when the module was loaded.
 *
 * Throws `unsupported` if the kernel has no such family: the socket opens in any case, and the controller answers ENOENT.
 */
export async function findIpvsFamily(socket: NetlinkSocket): Promise<number> {
  const payload = genlPayload(
    GENL.CTRL_CMD_GETFAMILY,
    GENL.CTRL_VERSION,
    familyAttrs.write({ name: 'IPVS' }),
  );
  const operation = { op: 'open', what: 'find the IPVS netlink family' };
  const [family] = await sendRequest(socket, operation, GENL.ID_CTRL, 0, payload, ({ view, from, to }) =>
    familyAttrs.readView(view, from + GENL_HEADER, to),
  ).catch((cause) => {
    throw isIpvsError(cause, 'not-found') ? noIpvs(cause) : cause;
  });
  if (family?.id === undefined)
    throw new IpvsError('malformed-reply', `${operation.what}: reply without an id`);
  return family.id;
}

function noIpvs({ op, errno }: IpvsError): IpvsError {
  const message =
    'the kernel has no IPVS: load it with "modprobe ip_vs" (and ip_vs_wlc etc. where modules are not autoloaded)';
  return new IpvsError('unsupported', message, { op, errno });
}
