import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The file descriptor of the netlink socket bound to `port`, or undefined where /proc does not say.
 *
 * The npm package keeps it to itself. The kernel lists every netlink socket of this network namespace with its port
 * (unique per protocol) and inode, and every descriptor of this process with its inode, so the match is exact.
 */
export function findSocketFd(protocol: number, port: number): number | undefined {
  try {
    const inode = inodeOf(readFileSync('/proc/thread-self/net/netlink', 'latin1'), protocol, port);
    if (inode === undefined) return undefined;
    // From the end: the socket was opened a moment ago.
    for (const name of readdirSync('/proc/self/fd').reverse()) {
      if (linkTarget(name) === `socket:[${inode}]`) return Number(name);
    }
  } catch {
    // No /proc, or none that this process may read.
  }
  return undefined;
}

/** Columns of /proc/net/netlink: sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode. */
function inodeOf(table: string, protocol: number, port: number): string | undefined {
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns[1] === String(protocol) && columns[2] === String(port)) return columns[9];
  }
  return undefined;
}

function linkTarget(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined; // Closed since it was listed, as the descriptor of the listing itself.
  }
}
