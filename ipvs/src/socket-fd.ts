import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The file descriptor of the netlink socket that is bound to `port`; undefined if it cannot be found in /proc.
 *
 * The npm package does not expose it. /proc/net/netlink lists every netlink socket of this network namespace with its port
 * (unique per protocol) and inode (netlink_native_seq_show, net/netlink/af_netlink.c), and /proc/self/fd lists this
 * process's descriptors with their inodes, so the match is exact.
 */
export function findSocketFd(protocol: number, port: number): number | undefined {
  try {
    const inode = inodeOf(readFileSync('/proc/thread-self/net/netlink', 'latin1'), protocol, port);
    if (inode === undefined) return undefined;
    const link = `socket:[${inode}]`;
    // All descriptors: the newest need not have the highest number, since other threads open and close files too.
    return readdirSync('/proc/self/fd')
      .map(Number)
      .find((fd) => linkOf(fd) === link);
  } catch {
    return undefined; // /proc is missing or not readable.
  }
}

/** The target of a descriptor; undefined if it was closed since it was listed, as the listing's own descriptor is. */
function linkOf(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

/** Columns of /proc/net/netlink: sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode. */
function inodeOf(table: string, protocol: number, port: number): string | undefined {
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns[1] === String(protocol) && columns[2] === String(port)) return columns[9];
  }
  return undefined;
}
