import { RouteNetlink } from '../../apply/rtnetlink.ts';
import { namesIn, textOf } from '../../doctor/read/text.ts';
import { messageOf } from '../../errors.ts';
import type { Reachable, RouteFact } from '../facts.ts';

/** Where packets to the VIP go, our interface, and the settings on the way; never rejects. */
export async function readRoute({ address }: Reachable, interfaceName: string): Promise<RouteFact> {
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
      return { ...settings, interfaceName, link: state, way: await wayTo(netlink, address) };
    } finally {
      netlink.close();
    }
  } catch (error) {
    return { ...settings, interfaceName, link: 'missing', way: { unread: messageOf(error) } };
  }
}

async function wayTo(netlink: RouteNetlink, address: string): Promise<RouteFact['way']> {
  const way = await netlink.wayTo(address);
  if ('refused' in way) return { kind: 'refused', why: way.refused };
  if (way.interfaceIndex === null) return { kind: 'local' };
  return { kind: 'leaves', interfaceName: await nameOf(way.interfaceIndex) };
}

async function nameOf(index: number): Promise<string> {
  for (const name of await namesIn('/sys/class/net')) {
    if (Number(await textOf(`/sys/class/net/${name}/ifindex`)) === index) return name;
  }
  return `interface ${index}`;
}
