/** The texts by which rpm knows the package. */

import type { Processor } from '../debian/node-program.ts';

/** Counts packages that are made anew of the same program. */
const RELEASE = 1;
export const RPM_ARCHITECTURES: Readonly<Record<Processor, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** `1.2.0-rc.1` as rpm orders versions: before `1.2.0`. */
export function rpmVersion(version: string): string {
  return version.replace('-', '~');
}

export function rpmName(version: string, processor: Processor): string {
  return `marathon-ipvs-${rpmVersion(version)}-${RELEASE}.${RPM_ARCHITECTURES[processor]}.rpm`;
}

export interface SpecParts {
  readonly version: string;
  /** The folder with the files as they will lie. */
  readonly tree: string;
  readonly scriptlets: Readonly<Record<'pre' | 'post' | 'preun' | 'postun', string>>;
  /** What `rpmbuild` calls the compression of the files. */
  readonly payload: string;
}

/**
 * What rpmbuild makes the package of: files that are laid out already, which it is kept from changing. It reads from them
 * which libraries they need; glibc 2.28 is one.
 */
export function specFile({ version, tree, scriptlets, payload }: SpecParts): string {
  return `%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none
%global _binary_payload ${payload}
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global source_date_epoch_from_changelog 0
%global _buildhost marathon-ipvs

Name: marathon-ipvs
Version: ${rpmVersion(version)}
Release: ${RELEASE}
Summary: Keeps DC/OS VIP names working with the IPVS of the kernel
License: Apache-2.0
AutoProv: no
Requires(pre): /usr/sbin/useradd, /usr/bin/getent
Requires(post): /usr/bin/setpriv, /usr/bin/timeout
Recommends: systemd, kmod, procps-ng, iproute, ipvsadm
Suggests: nftables

%description
Apps of Marathon and other Mesos frameworks that ask for a VIP by label stay
reachable at it, on DC/OS, on plain Mesos, on Kubernetes or on plain hosts: on
each agent host one controller turns the apps' definitions into the IPVS table
of the kernel, and answers for their names over DNS. Packets never pass through
the process, and connections live on when it stops or is upgraded.

The package brings a Node.js of its own.

%install
cp -a ${tree}/. %{buildroot}/

%files
%defattr(-,root,root)
%dir /etc/marathon-ipvs
%config(noreplace) /etc/marathon-ipvs/config.yaml
/usr/bin/marathon-ipvs
/usr/lib/marathon-ipvs
/usr/lib/modules-load.d/marathon-ipvs.conf
/usr/lib/sysctl.d/90-marathon-ipvs.conf
/usr/lib/systemd/system/marathon-ipvs.service
/usr/share/bash-completion/completions/marathon-ipvs
/usr/share/fish/vendor_completions.d/marathon-ipvs.fish
/usr/share/zsh/site-functions/_marathon-ipvs
%doc /usr/share/doc/marathon-ipvs
%doc /usr/share/man/man8/marathon-ipvs.8.gz
%license /usr/share/licenses/marathon-ipvs
${Object.entries(scriptlets)
  .map(([name, text]) => `\n%${name}\n${text.replaceAll('%', '%%')}`)
  .join('')}`;
}
