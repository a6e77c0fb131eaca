/** The Debian package on a machine with a systemd of its own and a kernel with IPVS, with connections through a VIP. */

import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { command } from '../support/shell.ts';
import { Debian, missing } from './debian.ts';
import { boot } from './machine.ts';

const [OLD, NEW, BROKEN] = ['1.0.0', '2.0.0', '3.0.0'];
const VIP = '11.134.217.55';
const TABLE = `-A -t ${VIP}:5555 -s wlc\n-a -t ${VIP}:5555 -r 10.0.0.1:31000 -m -w 1\n`;
const APPS = JSON.stringify({
  id: '/my-service',
  portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' } }],
  tasks: [
    {
      id: 't.1',
      host: '10.0.0.1',
      ports: [31000],
      state: 'TASK_RUNNING',
      startedAt: '2026-01-01T00:00:00.000Z',
    },
  ],
});

const why =
  (await missing()) ?? ((await command(['which', 'linux.uml'])).status === 0 ? null : 'they need linux.uml');
if (why !== null) console.warn(`tests of the Debian package under systemd skipped: ${why}`);

/** The drop-in that operators are told to make for `--netns-dir`. */
const page = readFileSync(new URL('../../docs/network-namespaces.md', import.meta.url), 'utf8');
const [, DROP_IN = ''] = /^```\n(# \/etc\/systemd\/system\/marathon-ipvs[^`]+)```$/m.exec(page) ?? [];

/** `step NAME`: what is printed from here on belongs to it. `service`: what systemd says of the service. */
const TASK = `
step() { echo "== $1"; }
service() { systemctl show marathon-ipvs --property ActiveState,SubState,ExecMainStatus --value | paste -sd ' '; }
pid() { systemctl show marathon-ipvs --property MainPID --value; }
configure() { printf '%s\\n' 'source: file=/apps.json' 'packet-filter: none' "$@" > /etc/marathon-ipvs/config.yaml; }
install() { dpkg --install /marathon-ipvs_$1-1_amd64.deb 2>&1; }
version() { /node -e 'fetch("http://127.0.0.1:61421/metrics").then(r=>r.text()).then(t=>console.log(/build_info[{].*?version="([^"]+)"/.exec(t)[1]))'; }

for side in client:10.0.1 backend:10.0.0; do
  name=\${side%%:*} net=\${side##*:}
  ip netns add $name
  ip link add to-$name type veth peer name eth0 netns $name
  ip address add $net.254/24 dev to-$name
  ip link set to-$name up
  ip -n $name address add $net.1/24 dev eth0
  ip -n $name link set lo up
  ip -n $name link set eth0 up
  ip -n $name route add default via $net.254
done

step 'installed'
install ${OLD} >/dev/null
cp /usr/lib/marathon-ipvs/${OLD}/node /node
service

step 'no source'
systemctl start marathon-ipvs 2>/dev/null || echo refused
sleep 12
service

step 'configured'
configure
systemctl start marathon-ipvs && service
ipvsadm -Sn
version
ip netns exec backend /node /load.mjs serve 10.0.0.1 31000 &
sleep 3
ip netns exec client /node /load.mjs load ${VIP} 5555 >/load.log &
load=$!
sleep 5

step 'reloaded'
# The signal is all that systemctl waits for: systemd reads "reloading" from the service a moment later.
systemctl reload marathon-ipvs
for i in $(seq 30); do
  state=$(service)
  [ "$state" = '0 reloading reload' ] && break
  sleep 0.2
done
for i in $(seq 60); do
  state=$(service)
  [ "$state" = '0 active running' ] && break
  sleep 1
done
echo "$state"

step 'upgraded'
before=$(pid)
install ${NEW} >/dev/null && service
version
[ "$(pid)" != "$before" ] && ls /usr/lib/marathon-ipvs

step 'refused'
before=$(pid)
configure 'resync-seconds: never'
install ${OLD} | grep ^marathon-ipvs:
[ "$(pid)" = "$before" ] && service
version

step 'corrected'
configure
dpkg --configure marathon-ipvs >/dev/null && service
version

step 'broken'
install ${BROKEN} | grep ^marathon-ipvs:
service
version
readlink /usr/lib/marathon-ipvs/current

step 'given up'
install ${OLD} >/dev/null && service
readlink /usr/lib/marathon-ipvs/current

step 'stopped by an operator'
systemctl stop marathon-ipvs
install ${NEW} >/dev/null; service
systemctl start marathon-ipvs && version

step 'network namespaces'
ip netns add pod
unshare --net sleep 900 &
holder=$!
mkdir -m 755 /run/l4lb /etc/systemd/system/marathon-ipvs.service.d
echo /run/netns/pod >/run/l4lb/pod
echo /proc/$holder/ns/net >/run/l4lb/task
cat >/etc/systemd/system/marathon-ipvs.service.d/netns.conf <<'END'
${DROP_IN}
END
configure 'netns-dir: /run/l4lb'
systemctl daemon-reload
systemctl restart marathon-ipvs && service
for namespace in /run/netns/pod /proc/$holder/ns/net; do
  there="nsenter --net=$namespace"
  for i in $(seq 60); do
    [ "$($there ipvsadm -Sn | wc -l)" = 2 ] && break
    sleep 1
  done
  $there ipvsadm -Sn
  $there cat /proc/sys/net/ipv4/vs/conntrack
done
kill $holder
configure
rm -r /etc/systemd/system/marathon-ipvs.service.d
systemctl daemon-reload

step 'watchdog'
mkdir -p /run/systemd/system/marathon-ipvs.service.d
printf '[Service]\\nWatchdogSec=20\\n' >/run/systemd/system/marathon-ipvs.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart marathon-ipvs
before=$(pid)
kill -STOP $before
for i in $(seq 60); do
  sleep 2
  [ "$(pid)" = "$before" ] || [ "$(service)" != '0 active running' ] || { echo 'started again'; break; }
done
journalctl -u marathon-ipvs -o cat --no-pager | grep -m 1 -o 'Watchdog timeout'

step 'exposure'
systemd-analyze security marathon-ipvs --no-pager | tail -n 1

step 'removed'
dpkg --remove marathon-ipvs >/dev/null 2>&1 && service
ipvsadm -Sn
sleep 2
kill $load
wait $load
step 'load'
cat /load.log
`;

(why === null ? describe : describe.skip)('the Debian package under systemd', () => {
  let debian: Debian;
  let printed: Map<string, string>;

  beforeAll(async () => {
    debian = await Debian.create();
    for (const version of [OLD, NEW]) await debian.packageOf(version);
    await debian.packageOf(
      BROKEN,
      "if (process.argv[2] === 'run' && !process.argv.includes('--check')) process.exit(3);",
    );
    await cp(join(import.meta.dirname, 'load.mjs'), join(debian.root, 'load.mjs'));
    await debian.write('apps.json', APPS);
    const steps = (await boot(debian, TASK)).split(/^== /m).slice(1);
    printed = new Map(steps.map((step) => [step.split('\n')[0] ?? '', step.slice(step.indexOf('\n') + 1)]));
  });
  afterAll(async () => await debian.remove());

  test('is installed without being started, and is not tried again and again while no source is named', () => {
    expect(printed.get('installed')).toBe('0 inactive dead\n');
    expect(printed.get('no source')).toBe('refused\n6 failed failed\n');
  });

  test('starts once a source is named, with the modules and kernel settings that it needs', () => {
    expect(printed.get('configured')).toBe(`0 active running\n${TABLE}${OLD}\n`);
    expect(printed.get('reloaded')).toBe('0 active running\n');
  });

  test('an upgrade replaces the process, and leaves the new version alone', () => {
    expect(printed.get('upgraded')).toBe(`0 active running\n${NEW}\n${NEW}\ncurrent\n`);
  });

  test('while the configuration is refused, the process that ran runs on; corrected, it is replaced', () => {
    expect(printed.get('refused')).toMatch(
      new RegExp(
        `version ${OLD} rejects the configuration.*version ${NEW} stays in place.*\n0 active running\n${NEW}\n$`,
        's',
      ),
    );
    expect(printed.get('corrected')).toBe(`0 active running\n${OLD}\n`);
  });

  test('a version that is proved but does not run is taken back', () => {
    const text = printed.get('broken');
    expect(text).toMatch(
      new RegExp(`version ${BROKEN} started and failed.*version ${OLD} stays in place`, 's'),
    );
    expect(text).toMatch(new RegExp(`\n0 active running\n${OLD}\nkept/${OLD}\n$`));
    expect(printed.get('given up')).toBe(`0 active running\n${OLD}\n`);
  });

  test('what an operator has stopped is not started by an upgrade', () => {
    expect(printed.get('stopped by an operator')).toBe(`0 inactive dead\n${NEW}\n`);
  });

  test('with the drop-in of the documentation it keeps VIPs in other network namespaces, with their settings', () => {
    expect(printed.get('network namespaces')).toBe(`0 active running\n${TABLE}1\n${TABLE}1\n`);
  });

  test('a process that stands still is started again by the watchdog', () => {
    expect(printed.get('watchdog')).toBe('started again\nWatchdog timeout\n');
  });

  test('has little of the system in its reach', () => {
    const [, exposure] =
      /exposure level for marathon-ipvs.service: ([\d.]+)/.exec(printed.get('exposure') ?? '') ?? [];
    expect(Number(exposure)).toBeLessThan(2);
  });

  test('when it is removed the kernel forwards on', () => {
    expect(printed.get('removed')).toBe(`0 inactive dead\n${TABLE}`);
  });

  test('no connection was lost in all of that', () => {
    const { lines, connections, failures } = JSON.parse(printed.get('load') ?? '{}');
    console.info(`${connections} connections, ${lines} answers`);
    expect(failures).toEqual([]);
    expect(connections).toBeGreaterThan(50);
  });
});
