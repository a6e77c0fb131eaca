import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The file descriptor of the netlink socket that was just bound to `port`, or undefined where /proc does not say.
 *
 * The npm package keeps it to itself. The kernel lists every netlink socket of this network namespace with its port
 * (unique per protocol) and inode, and every descriptor of this process with its inode, so a match is exact.
 */
export function findSocketFd(protocol: number, port: number): number | undefined {
  try {
    const table = openSync('/proc/thread-self/net/netlink', 'r');
    try {
      const inode = inodeOf(readFileSync(table, 'latin1'), protocol, port);
      return inode === undefined ? undefined : fdBelow(table, `socket:[${inode}]`);
    } finally {
      closeSync(table);
    }
  } catch {
    return undefined; // No /proc, or none that this process may read.
  }
}

/** New descriptors get the lowest free number, so one opened a moment earlier is most likely the next one below. */
function fdBelow(limit: number, target: string): number | undefined {
  for (let fd = limit - 1; fd >= 0; fd--) {
    if (readlinkSync(`/proc/self/fd/${fd}`) === target) return fd;
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
