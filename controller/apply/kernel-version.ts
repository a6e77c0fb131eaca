export type KernelVersion = readonly [major: number, minor: number];

/** Parses the version in a release (`6.1.0-13-amd64`); null when there is none. */
export function kernelVersion(release: string): KernelVersion | null {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return major === undefined ? null : [Number(major), Number(minor)];
}

/** Whether one version comes before another. */
export function isBefore(version: KernelVersion, other: KernelVersion): boolean {
  return version[0] < other[0] || (version[0] === other[0] && version[1] < other[1]);
}
