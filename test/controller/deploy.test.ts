import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { SYSCTLS } from '../../controller/apply/sysctls.ts';
import { parseCommandLine } from '../../controller/cli/command-line.ts';
import { MAX_ANSWER_BYTES } from '../../controller/http/exchange.ts';
import { DEFAULT_LIMITS } from '../../controller/status/checks.ts';
import { startMarathon } from '../support/marathon/start-marathon.ts';

function textOf(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** Lines that are no comments. */
function linesOf(path: string): string[] {
  return textOf(path)
    .split('\n')
    .filter((line) => !/^\s*(?:#|$)/.test(line));
}

describe('the systemd unit', () => {
  const unit = 'deploy/systemd/marathon-ipvs.service';
  const settings = new Map(
    linesOf(unit).map((line) => [line.replace(/=.*/, ''), line.replace(/^[^=]*=/, '')]),
  );

  test('starts the controller with options that there are', () => {
    const variables = linesOf(unit).flatMap(
      (line) => /^Environment=(\w+)=(.*)$/.exec(line)?.slice(1, 3) ?? [],
    );
    const environment: Record<string, string> = {};
    for (let at = 0; at + 1 < variables.length; at += 2)
      environment[variables[at] ?? ''] = variables[at + 1] ?? '';
    const [launcher, ...argv] = settings.get('ExecStart')?.split(' ') ?? [];
    expect(launcher).toBe('/opt/marathon-ipvs/marathon-ipvs');

    const file = new URL('../../deploy/systemd/config.yaml', import.meta.url).pathname;
    const local = argv.map((word) => word.replace('/etc/marathon-ipvs/config.yaml', file));
    expect(parseCommandLine(local, environment)).toMatchObject({
      command: 'run',
      config: {
        writeSysctls: false,
        ledger: '/run/marathon-ipvs/ledger.json',
        stateDir: '/var/lib/marathon-ipvs',
      },
    });
  });

  test('keeps the ledger over a restart, since the kernel keeps its tables', () => {
    expect(settings.get('RuntimeDirectory')).toBe('marathon-ipvs');
    expect(settings.get('RuntimeDirectoryPreserve')).toBe('yes');
    expect(settings.get('StateDirectory')).toBe('marathon-ipvs');
  });

  test('is ready when the controller says so, and restarts one whose loop stands still, also while it starts', () => {
    expect(settings.get('Type')).toBe('notify');
    // Another process sends the messages.
    expect(settings.get('NotifyAccess')).toBe('all');
    expect(settings.get('Restart')).toBe('always');
    // Longer than a loop may take for one turn, and each turn of it prolongs the start by as much.
    const loopSeconds = DEFAULT_LIMITS.loopMs / 1_000;
    expect(Number(settings.get('WatchdogSec'))).toBeGreaterThan(loopSeconds);
    expect(settings.get('TimeoutStartSec')).toBe(settings.get('WatchdogSec'));
  });

  test('gives it the capabilities for the kernel tables and for port 53, and no other', () => {
    expect(settings.get('CapabilityBoundingSet')).toBe('CAP_NET_ADMIN CAP_NET_BIND_SERVICE');
    expect(settings.get('AmbientCapabilities')).toBe('CAP_NET_ADMIN CAP_NET_BIND_SERVICE');
    expect(settings.get('NoNewPrivileges')).toBe('yes');
  });

  test('what it may not write is in the sysctl file, as the controller wants it', () => {
    const written = linesOf('deploy/systemd/sysctl.conf').map((line) => line.replace(/^-/, '').split(' = '));
    const everywhere = SYSCTLS.filter(({ onlyAdvised, kernels }) => !onlyAdvised && kernels === undefined);
    const wanted = everywhere.map(({ name, value }) => [name, value]);
    expect(written.sort()).toEqual(wanted.sort());
  });
});

test('every commented option in the sample file is one too', () => {
  const text = textOf('deploy/systemd/config.yaml').replace(/^#(?=[a-z-]+: )/gm, '');
  const keys = [...text.matchAll(/^([a-z-]+):/gm)].map(([, key]) => key);
  const help = parseCommandLine(['run', '--help'], {});
  for (const key of keys) expect('text' in help && help.text).toContain(`--${key} `);
});

describe('the image', () => {
  const dockerfile = textOf('Dockerfile');

  test('copies nothing that .dockerignore keeps away', () => {
    const let_in = linesOf('.dockerignore')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, list = '']) =>
      list.split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) expect(let_in).toContain(path.replace(/\/$/, ''));
  });

  test('runs as nobody in particular, with the launcher as its entry', () => {
    expect(dockerfile).toMatch(/^USER 65532:65532$/m);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["marathon-ipvs"\]$/m);
  });
});

describe('as a Marathon app and with compose', () => {
  const app = JSON.parse(textOf('deploy/marathon/marathon-ipvs.json'));
  const { services } = parse(textOf('deploy/docker/compose.yaml'));

  test('both start the controller with options that there are', () => {
    expect(parseCommandLine(app.args, {})).toMatchObject({ command: 'run', config: { writeSysctls: false } });
    const { command, environment } = services['marathon-ipvs'];
    expect(parseCommandLine(command, environment)).toMatchObject({
      command: 'run',
      config: { writeSysctls: false },
    });
  });

  test('both give it two capabilities, a read-only root and the directories of the host', () => {
    const { parameters } = app.container.docker;
    const given = (key: string) =>
      parameters.filter((one: { key: string }) => one.key === key).map((one: { value: string }) => one.value);
    const compose = services['marathon-ipvs'];
    expect([given('cap-drop'), given('cap-add'), given('read-only')]).toEqual([
      compose.cap_drop,
      compose.cap_add,
      [String(compose.read_only)],
    ]);
    expect(compose.cap_add).toEqual(['NET_ADMIN', 'NET_BIND_SERVICE']);
    const volumes = app.container.volumes.map(
      (one: { hostPath: string; containerPath: string }) => `${one.hostPath}:${one.containerPath}`,
    );
    expect(volumes).toEqual(compose.volumes);
  });

  test('Marathon takes the app, one a host', async () => {
    const marathon = await startMarathon({
      processes: false,
      agents: ['a', 'b', 'c'].map((hostname) => ({ hostname })),
    });
    try {
      await marathon.addApp(app);
      expect(
        marathon
          .tasks(app.id)
          .map(({ host }) => host)
          .sort(),
      ).toEqual(['a', 'b', 'c']);
    } finally {
      await marathon.close();
    }
  });
});

test('containers have memory for the largest answer that is accepted, besides what they hold anyway', () => {
  const { mem } = JSON.parse(textOf('deploy/marathon/marathon-ipvs.json'));
  const { containers } = parse(textOf('deploy/kubernetes/base/daemonset.yaml')).spec.template.spec;
  const [, gibibytes = ''] = /^(\d+)Gi$/.exec(containers[0].resources.limits.memory) ?? [];
  // docs/benchmarks.md: at 1,000 x 10, and at 10,000 x 10. Half as much again is garbage.
  expect(mem * 2 ** 20).toBeGreaterThan(MAX_ANSWER_BYTES + 1.5 * 148e6);
  expect(Number(gibibytes) * 2 ** 30).toBeGreaterThan(MAX_ANSWER_BYTES + 1.5 * 519e6);
});
