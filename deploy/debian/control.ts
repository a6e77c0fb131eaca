/** The texts by which dpkg, apt and a reader know the package. */

import type { Processor } from './node-program.ts';

/** Counts packages that are made anew of the same program. */
const REVISION = 1;
const MAINTAINER = 'marathon-ipvs maintainers <maintainers@marathon-ipvs.invalid>';
export const ARCHITECTURES: Readonly<Record<Processor, string>> = { x64: 'amd64', arm64: 'arm64' };

/** `1.2.0-rc.1` as dpkg orders versions: before `1.2.0`. */
export function debianVersion(version: string): string {
  return `${version.replace('-', '~')}-${REVISION}`;
}

/** What `ldd` and `readelf -V` say of the two compiled files: node, and the part of netlink. */
const DEPENDS = ['libc6 (>= 2.28)', 'libgcc-s1 | libgcc1', 'libstdc++6 (>= 5.2)', 'adduser'];

/**
 * systemd: the unit. kmod: the kernel loads a scheduler by running modprobe, and `doctor` names it, as it does sysctl (procps)
 * and ip (iproute2). ipvsadm: a second witness of the table.
 */
const RECOMMENDS = ['systemd', 'kmod', 'procps', 'iproute2', 'ipvsadm'];

/** `bytes`: of all files when they are installed. */
export function controlFile(version: string, processor: Processor, bytes: number): string {
  return `Package: marathon-ipvs
Version: ${debianVersion(version)}
Architecture: ${ARCHITECTURES[processor]}
Maintainer: ${MAINTAINER}
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: ${DEPENDS.join(', ')}
Recommends: ${RECOMMENDS.join(', ')}
Suggests: nftables
Section: net
Priority: optional
Description: keeps DC/OS VIP names working with the IPVS of the kernel
 Apps of Marathon and other Mesos frameworks that ask for a VIP by label stay
 reachable at it, on DC/OS, on plain Mesos, on Kubernetes or on plain hosts: on
 each agent host one controller turns the apps' definitions into the IPVS table
 of the kernel, and answers for their names over DNS. Packets never pass through
 the process, and connections live on when it stops or is upgraded.
 .
 The package brings a Node.js of its own.
`;
}

/** `madeAt`: seconds since 1970. */
export function changelog(version: string, madeAt: number): string {
  const date = new Date(madeAt * 1_000).toUTCString().replace('GMT', '+0000');
  return `marathon-ipvs (${debianVersion(version)}) unstable; urgency=medium

  * What changed: /usr/share/doc/marathon-ipvs/changelog.gz

 -- ${MAINTAINER}  ${date}
`;
}

/** `licences`: of what is in the program; `node`: of the Node.js that comes with it. */
export function copyright(licences: string, node: string): string {
  return `marathon-ipvs and its packaging are licensed under the Apache License, version 2.0. Debian systems have it in
/usr/share/common-licenses/Apache-2.0.

Copyright: the authors of marathon-ipvs

${licences.trim()}

${'='.repeat(72)}
Node.js, /usr/lib/marathon-ipvs/*/node:

${node.trim()}
`;
}
