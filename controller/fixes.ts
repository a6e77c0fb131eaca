/**
 * Shell commands that fix something on a host, for root. Each is idempotent, changes no file of another program, needs no
 * program of ours, and survives a reboot.
 */

/** Sets one kernel setting, now and at boot. */
export function setSysctl(name: string, value: string): string {
  const shown = /\s/.test(value) ? `"${value}"` : value;
  const file = `/etc/sysctl.d/90-marathon-ipvs-${name.split('.').at(-1)}.conf`;
  return `sysctl -w ${name}=${shown} && ${writeFile(file, [`${name} = ${value}`])}`;
}

const IPVS_SETTINGS = 'net.ipv4.vs.';

/** Whether a kernel setting exists only while the module ip_vs is loaded. */
export function isOfIpvs(name: string): boolean {
  return name.startsWith(IPVS_SETTINGS);
}

/**
 * The same for a setting that may belong to the module ip_vs, which must be loaded at boot first. `missing`: the setting does
 * not exist now.
 */
export function setSysctlOf(name: string, value: string, { missing }: { readonly missing: boolean }): string {
  const set = setSysctl(name, value);
  return isOfIpvs(name) ? `${(missing ? loadModule : loadAtBoot)('ip_vs')} && ${set}` : set;
}

/** Loads a module, now and at boot. systemd loads modules before it applies sysctls. */
export function loadModule(name: string): string {
  return `modprobe ${name} && ${loadAtBoot(name)}`;
}

/** The same for several modules, listed in one file with this name. */
export function loadModules(file: string, names: readonly string[]): string {
  return `modprobe -a ${names.join(' ')} && ${writeFile(`/etc/modules-load.d/marathon-ipvs-${file}.conf`, names)}`;
}

/** Loads a module at boot; the kernel has it now. */
export function loadAtBoot(name: string): string {
  return writeFile(`/etc/modules-load.d/marathon-ipvs-${name}.conf`, [name]);
}

/** Writes a file of our own. `lines` must not contain single quotes, backslashes or percent signs. */
export function writeFile(path: string, lines: readonly string[]): string {
  const directory = path.slice(0, path.lastIndexOf('/'));
  return `mkdir -p ${directory} && printf '${lines.join('\\n')}\\n' > ${path}`;
}

/** Quotes untrusted text as one word of a shell. */
export function shellWord(text: string): string {
  return /^[\w.:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
