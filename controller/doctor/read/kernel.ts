import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { IpvsClient, isIpvsError } from 'ipvs-netlink-ts';
import type { Sysctl } from '../../apply/sysctls.ts';
import { hasCode, messageOf } from '../../errors.ts';
import type { IpvsFact, PortRangeFact, SysctlFact } from '../facts.ts';
import { textOf } from './text.ts';

/** Reads each setting, and whether this process may write it. */
export async function readSysctls(wanted: readonly Sysctl[], root = ''): Promise<readonly SysctlFact[]> {
  return await Promise.all(
    wanted.map(async ({ name, value: want, why, onlyAdvised = false }) => {
      const path = `${root}/proc/sys/${name.replaceAll('.', '/')}`;
      const writable = await access(path, constants.W_OK).then(
        () => true,
        () => false,
      );
      const fact = { name, wanted: want, why, onlyAdvised, writable };
      try {
        return { ...fact, value: (await readFile(path, 'utf8')).trim(), error: null, missing: false };
      } catch (error) {
        return { ...fact, value: null, error: messageOf(error), missing: hasCode(error, 'ENOENT') };
      }
    }),
  );
}

/** Reads the addresses of IPVS services and the timeouts, or why they cannot be read. Never rejects. */
export async function readIpvs(): Promise<IpvsFact> {
  try {
    const client = await IpvsClient.open();
    try {
      const services = await client.listServices();
      const { tcpSeconds: tcp, tcpFinSeconds: tcpFin, udpSeconds: udp } = await client.getTimeouts();
      const addresses = services.flatMap((service) => ('fwmark' in service ? [] : [service.address]));
      return { services: addresses, timeouts: { tcp, tcpFin, udp } };
    } finally {
      client.close();
    }
  } catch (error) {
    return { error: messageOf(error), missing: isIpvsError(error, 'unsupported') };
  }
}

/** Reads this process's effective capabilities; null if /proc does not show them. */
export async function readCapabilities(root = ''): Promise<ReadonlySet<number> | null> {
  return await readBits('CapEff', root);
}

const SYS_ADMIN = 21;

/** Whether child processes may enter other network namespaces; true if unknown, so that they find out themselves. */
export async function readEnteringRight(root = ''): Promise<boolean> {
  // Children inherit effective capabilities from root, and only ambient ones from other users.
  const bits = await readBits(process.geteuid?.() === 0 ? 'CapEff' : 'CapAmb', root);
  return bits?.has(SYS_ADMIN) ?? true;
}

async function readBits(field: 'CapEff' | 'CapAmb', root: string): Promise<ReadonlySet<number> | null> {
  const status = (await textOf(`${root}/proc/self/status`)) ?? '';
  const [, digits] = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status) ?? [];
  if (digits === undefined) return null;
  const mask = BigInt(`0x${digits}`);
  const bits = Array.from({ length: 64 }, (_, bit) => bit);
  return new Set(bits.filter((bit) => (mask >> BigInt(bit)) & 1n));
}

/** Reads the range of local ports; null if it cannot be read. */
export async function readPortRange(root = ''): Promise<PortRangeFact | null> {
  const directory = `${root}/proc/sys/net/ipv4`;
  const [range, reserved] = await Promise.all([
    textOf(`${directory}/ip_local_port_range`),
    textOf(`${directory}/ip_local_reserved_ports`),
  ]);
  const [low, high] = (range ?? '').trim().split(/\s+/).map(Number);
  if (low === undefined || high === undefined || Number.isNaN(low + high)) return null;
  return { low, high, reserved: (reserved ?? '').trim() };
}

/** Reads a numeric setting; null if it cannot be read. */
export async function readNumber(name: string, root = ''): Promise<number | null> {
  const text = await textOf(`${root}/proc/sys/${name.replaceAll('.', '/')}`);
  return text === null || text.trim() === '' ? null : Number(text);
}
