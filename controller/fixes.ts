/**
 * Command lines that fix something on a host, for a root shell. Each can be run twice, changes no file of another program, needs
 * no file of ours, and survives a reboot: what is set now is also written to where it is read at boot.
 */

/** Sets a kernel setting, now and at boot. */
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
 * Sets a kernel setting that may come with the module ip_vs, and loads the module before it at boot. `missing`: the setting does
 * not exist yet, so the module is loaded now, too.
 */
export function setSysctlOf(name: string, value: string, { missing }: { readonly missing: boolean }): string {
  const set = setSysctl(name, value);
  return isOfIpvs(name) ? `${(missing ? loadModule : loadAtBoot)('ip_vs')} && ${set}` : set;
}

/** Loads a module, now and at boot: systemd loads modules before it sets what they bring. */
export function loadModule(name: string): string {
  return `modprobe ${name} && ${loadAtBoot(name)}`;
}

/** Loads several modules, now and at boot; they share one file of this name. */
export function loadModules(file: string, names: readonly string[]): string {
  return `modprobe -a ${names.join(' ')} && ${writeFile(`/etc/modules-load.d/marathon-ipvs-${file}.conf`, names)}`;
}

/** Loads a module at boot that is already loaded now. */
export function loadAtBoot(name: string): string {
  return writeFile(`/etc/modules-load.d/marathon-ipvs-${name}.conf`, [name]);
}

/** Writes a file of our own. `lines` must not contain single quotes, backslashes or percent signs. */
export function writeFile(path: string, lines: readonly string[]): string {
  const directory = path.slice(0, path.lastIndexOf('/'));
  return `mkdir -p ${directory} && printf '${lines.join('\\n')}\\n' > ${path}`;
}

/** Quotes a name for the shell. */
export function shellWord(text: string): string {
  return /^[\w.:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
