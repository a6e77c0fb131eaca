/** Bridge settings that decide whether a container can reach itself through a VIP. */

import type { BridgesFact } from '../facts.ts';
import { namesIn, textOf } from './text.ts';

/**
 * Reads whether the packet filter sees bridged traffic (`br_netfilter`), and which bridge ports lead to containers.
 * <net/bridge/br_netfilter_hooks.c>, <net/bridge/br_forward.c>: should_deliver()
 */
export async function readBridges(root = ''): Promise<BridgesFact> {
  const interfaces = await namesIn(`${root}/sys/class/net`);
  const ports = await Promise.all(interfaces.map((name) => readPort(root, name)));
  const families = await Promise.all(
    ['bridge-nf-call-iptables', 'bridge-nf-call-ip6tables'].map((name) =>
      textOf(`${root}/proc/sys/net/bridge/${name}`),
    ),
  );
  return {
    filtered: families.some((value) => value?.trim() === '1'),
    containerPorts: ports.filter((port) => port !== null),
  };
}

async function readPort(root: string, name: string): Promise<BridgesFact['containerPorts'][number] | null> {
  const of = async (file: string) => (await textOf(`${root}/sys/class/net/${name}/${file}`))?.trim();
  const hairpin = await of('brport/hairpin_mode');
  if (hairpin === undefined) return null;
  // A veth's peer in another namespace has a different index; a physical interface is its own link.
  const [index, link] = [await of('ifindex'), await of('iflink')];
  return index === link ? null : { name, hairpin: hairpin === '1' };
}
