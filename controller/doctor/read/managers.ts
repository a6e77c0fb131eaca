import type { ManagerFact } from '../facts.ts';
import { namesIn, textOf } from './text.ts';

/** Names of the visible processes, which the kernel truncates to 15 characters. */
export async function readProcesses(root = ''): Promise<ReadonlySet<string>> {
  const numbers = (await namesIn(`${root}/proc`)).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(numbers.map((number) => textOf(`${root}/proc/${number}/comm`)));
  return new Set(names.filter((name) => name !== null).map((name) => name.trim()));
}

/** Reads which network managers run, and whether they are configured to leave this interface alone. */
export async function readManagers(
  interfaceName: string,
  processes: ReadonlySet<string>,
  root = '',
): Promise<readonly ManagerFact[]> {
  const [networkManager, networkd] = await Promise.all([
    textsIn(
      root,
      ['etc/NetworkManager/conf.d', 'run/NetworkManager/conf.d', 'usr/lib/NetworkManager/conf.d'],
      '.conf',
    ),
    textsIn(root, ['etc/systemd/network', 'run/systemd/network', 'usr/lib/systemd/network'], '.network'),
  ]);
  const main = (await textOf(`${root}/etc/NetworkManager/NetworkManager.conf`)) ?? '';
  return [
    {
      name: 'NetworkManager',
      running: processes.has('NetworkManager'),
      leavesOursAlone: [main, ...networkManager].some((text) =>
        isUnmanagedByNetworkManager(text, interfaceName),
      ),
    },
    {
      name: 'systemd-networkd',
      running: processes.has('systemd-network'),
      leavesOursAlone: networkd.some((text) => isUnmanagedByNetworkd(text, interfaceName)),
    },
  ];
}

async function textsIn(root: string, directories: readonly string[], ending: string): Promise<string[]> {
  const texts: (string | null)[] = [];
  for (const directory of directories) {
    const names = await namesIn(`${root}/${directory}`);
    for (const name of names.filter((one) => one.endsWith(ending)))
      texts.push(await textOf(`${root}/${directory}/${name}`));
  }
  return texts.filter((text) => text !== null);
}

/** `unmanaged-devices=interface-name:vip0` in [keyfile], or a [device-…] section that matches it with managed=0. */
function isUnmanagedByNetworkManager(text: string, interfaceName: string): boolean {
  return sectionsOf(text).some((lines) => {
    const matches = (key: string) =>
      lines.some(
        (line) => line.startsWith(key) && specs(line).some((one) => matchesGlob(one, interfaceName)),
      );
    return (
      matches('unmanaged-devices') ||
      (matches('match-device') && lines.some((line) => /^managed=(0|no|false)$/.test(line)))
    );
  });
}

function specs(line: string): string[] {
  return line.split(/[=,;]/).flatMap((part) => /^interface-name:=?(.*)$/.exec(part.trim())?.[1] ?? []);
}

/** A [Match] with its Name, and Unmanaged=yes. */
function isUnmanagedByNetworkd(text: string, interfaceName: string): boolean {
  const lines = sectionsOf(text).flat();
  const names = lines.flatMap((line) => /^Name=(.*)$/.exec(line)?.[1]?.split(/\s+/) ?? []);
  const unmanaged = lines.some((line) => /^Unmanaged=(1|yes|true|on)$/.test(line));
  return unmanaged && names.some((name) => matchesGlob(name, interfaceName));
}

/** The lines of each section, without comments and blanks around `=`. */
function sectionsOf(text: string): string[][] {
  return text.split(/^\s*\[.*\]\s*$/m).map((section) =>
    section
      .split('\n')
      .map((line) => line.trim().replace(/\s*(\+?=)\s*/, '$1'))
      .filter((line) => line !== '' && !/^[#;]/.test(line)),
  );
}

function matchesGlob(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return pattern === name;
  const [start = '', ...rest] = pattern.split('*');
  return (
    name.startsWith(start) && name.endsWith(rest.at(-1) ?? '') && name.length >= pattern.length - rest.length
  );
}
