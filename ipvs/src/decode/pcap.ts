import { viewOf } from '../codec.ts';
import type { Finds } from './found.ts';

/** Magic numbers of pcap files with times in microseconds or nanoseconds. <https://www.tcpdump.org/manpages/pcap-savefile.5.txt> */
const MAGICS: readonly number[] = [0xa1b2c3d4, 0xa1b23c4d];
/** First word of a pcapng file, in either byte order. <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html> */
const PCAPNG_MAGIC = 0x0a0d0d0a;
const FILE_HEADER = 24;
const PACKET_HEADER = 16;

/** LINKTYPE_NETLINK: packets of an nlmon device. */
const LINKTYPE_NETLINK = 253;
/** Header before each packet: packet type, ARPHRD_NETLINK, ten unused bytes, netlink protocol; all big-endian. */
const COOKED_HEADER = 16;

/** Whether the input is a packet capture: pcap, as `tcpdump -w` writes it, or pcapng, which is not supported. */
export function isCapture(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const first = viewOf(bytes).getUint32(0);
  return (
    first === PCAPNG_MAGIC || MAGICS.includes(first) || MAGICS.includes(viewOf(bytes).getUint32(0, true))
  );
}

/** Adds the messages of a packet capture of an nlmon device. */
export function readCapture(bytes: Uint8Array, finds: Finds): void {
  const view = viewOf(bytes);
  if (view.getUint32(0) === PCAPNG_MAGIC) {
    finds.note('the capture is in pcapng format, expected pcap: convert it with editcap -F pcap');
    return;
  }
  if (bytes.length < FILE_HEADER) {
    finds.note('the capture ends within its header');
    return;
  }
  const isLittle = MAGICS.includes(view.getUint32(0, true));
  const linkType = view.getUint32(20, isLittle) & 0xffff;
  if (linkType !== LINKTYPE_NETLINK) {
    finds.note(`the capture has link type ${linkType}: expected ${LINKTYPE_NETLINK}, of an nlmon device`);
    return;
  }
  let packet = 0;
  for (let at = FILE_HEADER; at < bytes.length; ) {
    packet++;
    const from = at + PACKET_HEADER;
    if (from > bytes.length) {
      finds.note(`packet ${packet}: the capture ends within its header`);
      return;
    }
    const size = view.getUint32(at + 8, isLittle);
    if (size < COOKED_HEADER || size > bytes.length - from) {
      finds.note(`packet ${packet} has ${size} bytes: the rest of the capture is left out`);
      return;
    }
    const protocol = view.getUint16(from + 14);
    const isCut = size < view.getUint32(at + 12, isLittle);
    finds.addDatagram(bytes.subarray(from + COOKED_HEADER, from + size), { line: packet, protocol }, isCut);
    at = from + size;
  }
}
