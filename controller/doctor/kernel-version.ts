/** Whether a release (`6.1.0-13-amd64`) comes before Linux `major.minor`; one that cannot be read does not. */
export function isBefore(release: string, major: number, minor: number): boolean {
  const [, found, under] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (found === undefined || under === undefined) return false;
  return Number(found) < major || (Number(found) === major && Number(under) < minor);
}
