/**
 * Lines that fix something on a host, for a root shell there. Each can be run twice, changes no file that belongs to
 * another program, needs none of ours, and holds after a reboot: what is set now is also written where it is read at boot.
 */

/** Sets one kernel setting, now and at boot. */
export function setSysctl(name: string, value: string): string {
  const shown = /\s/.test(value) ? `"${value}"` : value;
  const file = `/etc/sysctl.d/90-marathon-ipvs-${name.split('.').at(-1)}.conf`;
  return `sysctl -w ${name}=${shown} && ${writeFile(file, [`${name} = ${value}`])}`;
}

const IPVS_SETTINGS = 'net.ipv4.vs.';

/** Whether a kernel setting comes with the module ip_vs. */
export function isOfIpvs(name: string): boolean {
  return name.startsWith(IPVS_SETTINGS);
}

/**
 * The same for one that may come with the module ip_vs: at boot it is there only once the module is. `missing`: it is not there
 * now either.
 */
export function setSysctlOf(name: string, value: string, { missing }: { readonly missing: boolean }): string {
  const set = setSysctl(name, value);
  return isOfIpvs(name) ? `${(missing ? loadModule : loadAtBoot)('ip_vs')} && ${set}` : set;
}

/** Loads a module, now and at boot: systemd loads modules before it sets what they bring. */
export function loadModule(name: string): string {
  return `modprobe ${name} && ${loadAtBoot(name)}`;
}

/** The same for several modules, which stand in one file of this name. */
export function loadModules(file: string, names: readonly string[]): string {
  return `modprobe -a ${names.join(' ')} && ${writeFile(`/etc/modules-load.d/marathon-ipvs-${file}.conf`, names)}`;
}

/** Loads a module at boot, for one that the kernel has now. */
export function loadAtBoot(name: string): string {
  return writeFile(`/etc/modules-load.d/marathon-ipvs-${name}.conf`, [name]);
}

/** Makes a file of our own with these lines; `lines` without single quotes, backslashes and percent signs. */
export function writeFile(path: string, lines: readonly string[]): string {
  const directory = path.slice(0, path.lastIndexOf('/'));
  return `mkdir -p ${directory} && printf '${lines.join('\\n')}\\n' > ${path}`;
}

/** A name that others chose, as one word of a shell. */
export function shellWord(text: string): string {
  return /^[\w.:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
