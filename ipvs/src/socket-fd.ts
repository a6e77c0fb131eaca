import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The file descriptor of the netlink socket that is bound to `port`, or undefined where /proc does not say.
 *
 * The npm package keeps it to itself. The kernel lists every netlink socket of this network namespace with its port
 * (unique per protocol) and inode (netlink_native_seq_show, net/netlink/af_netlink.c), and every descriptor of this
 * process with its inode, so a match is exact.
 */
export function findSocketFd(protocol: number, port: number): number | undefined {
  try {
    const inode = inodeOf(readFileSync('/proc/thread-self/net/netlink', 'latin1'), protocol, port);
    if (inode === undefined) return undefined;
    const link = `socket:[${inode}]`;
    // All of them: a number says nothing of when a descriptor was opened, since other threads open and close theirs.
    return readdirSync('/proc/self/fd')
      .map(Number)
      .find((fd) => linkOf(fd) === link);
  } catch {
    return undefined; // No /proc, or none that this process may read.
  }
}

/** What a descriptor refers to; undefined where it was closed after it was listed, as the descriptor of the listing itself is. */
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
