import { RouteNetlink } from '../../apply/rtnetlink.ts';
import { namesIn, textOf } from '../../doctor/read/text.ts';
import { messageOf } from '../../errors.ts';
import type { AddressedVip, RouteFact } from '../facts.ts';

/** Reads the route to the VIP, the state of the controller's interface, and the settings that matter. Never rejects. */
export async function readRoute({ address }: AddressedVip, interfaceName: string): Promise<RouteFact> {
  const ipv4 = !address.includes(':');
  const setting = async (path: string) => (await textOf(`/proc/sys/net/${path}`))?.trim() ?? null;
  const settings = {
    ipForward: ipv4 ? await setting('ipv4/ip_forward') : null,
    conntrack: ipv4 ? await setting('ipv4/vs/conntrack') : null,
  };
  try {
    const netlink = RouteNetlink.open();
    try {
      const link = await netlink.link(interfaceName);
      const state = link === null ? 'missing' : link.up ? 'up' : 'down';
      return { ...settings, interfaceName, link: state, lookup: await lookUp(netlink, address) };
    } finally {
      netlink.close();
    }
  } catch (error) {
    return { ...settings, interfaceName, link: 'missing', lookup: { unread: messageOf(error) } };
  }
}

async function lookUp(netlink: RouteNetlink, address: string): Promise<RouteFact['lookup']> {
  const found = await netlink.wayTo(address);
  if ('refused' in found) return { kind: 'refused', why: found.refused };
  if (found.interfaceIndex === null) return { kind: 'local' };
  return { kind: 'leaves', interfaceName: await nameOf(found.interfaceIndex) };
}

async function nameOf(index: number): Promise<string> {
  for (const name of await namesIn('/sys/class/net')) {
    if (Number(await textOf(`/sys/class/net/${name}/ifindex`)) === index) return name;
  }
  return `interface ${index}`;
}
