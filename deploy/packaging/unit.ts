const LAUNCHER = '/usr/lib/marathon-ipvs/current/marathon-ipvs';

/**
 * The unit of deploy/systemd, with the paths and the user that the packages make. It loads the modules and sets the kernel
 * settings itself: what a package brings for boot is not in effect right after it was installed.
 */
export function unitFile(unit: string): string {
  const changes: readonly (readonly [string, string])[] = [
    [
      'ExecStart=/opt/marathon-ipvs/marathon-ipvs ',
      `ExecStartPre=-+/lib/systemd/systemd-modules-load marathon-ipvs.conf
ExecStartPre=-+/lib/systemd/systemd-sysctl 90-marathon-ipvs.conf
ExecStart=${LAUNCHER} `,
    ],
    ['DynamicUser=yes\nUser=marathon-ipvs\n', 'User=marathon-ipvs\nGroup=marathon-ipvs\n'],
  ];
  return changes.reduce((text, [from, to]) => {
    if (text.split(from).length !== 2)
      throw new Error(`deploy/systemd/marathon-ipvs.service: expected "${from}" once`);
    return text.replace(from, to);
  }, unit);
}
