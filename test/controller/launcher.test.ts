import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "marathon-ipvs it's "));
  mkdirSync(join(directory, 'app/controller/program'), { recursive: true });
  mkdirSync(join(directory, 'app/node_modules/.bin'), { recursive: true });
  mkdirSync(join(directory, 'bin'));
  copyFileSync(
    new URL('../../controller/marathon-ipvs', import.meta.url),
    join(directory, 'app/controller/marathon-ipvs'),
  );
  writeFileSync(
    join(directory, 'app/controller/main.ts'),
    'console.log(JSON.stringify(process.argv.slice(2)));',
  );
});
afterEach(() => rmSync(directory, { recursive: true }));

function launch(path: string, args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(join(directory, path), args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: directory, ...environment },
  });
  return { status, stdout, stderr };
}

/** A node that only knows its version. */
function pretend(path: string, version: string): void {
  writeFileSync(join(directory, path), `#!/bin/sh\necho '${version}'\n`);
  chmodSync(join(directory, path), 0o755);
}

test("the checkout's own Node is used, and every argument arrives as it was given", () => {
  symlinkSync(process.execPath, join(directory, 'app/node_modules/.bin/node'));
  expect(launch('app/controller/marathon-ipvs', ['diff', 'a b', '', '--x=*'])).toEqual({
    status: 0,
    stdout: '["diff","a b","","--x=*"]\n',
    stderr: '',
  });
});

test('it finds its folder through symbolic links, absolute and relative', () => {
  symlinkSync(process.execPath, join(directory, 'app/node_modules/.bin/node'));
  symlinkSync('../app/controller/marathon-ipvs', join(directory, 'bin/relative'));
  symlinkSync(join(directory, 'bin/relative'), join(directory, 'bin/absolute'));
  expect(launch('bin/absolute', ['x'], { CDPATH: '/tmp' }).stdout).toBe('["x"]\n');
});

test('without one in the checkout the Node of the machine is used', () => {
  symlinkSync(process.execPath, join(directory, 'bin/node'));
  const environment = { PATH: `${join(directory, 'bin')}:/usr/bin:/bin` };
  expect(launch('app/controller/marathon-ipvs', ['x'], environment).stdout).toBe('["x"]\n');
});

test.each(['v20.20.2', 'v24.8.9', 'nonsense', ''])('Node %j is too old: one line says so', (version) => {
  pretend('app/node_modules/.bin/node', version);
  const { status, stdout, stderr } = launch('app/controller/marathon-ipvs');
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(
    /^marathon-ipvs: '.*\/node' is .*, but Node\.js 24\.9 or newer is needed: run 'npm ci' in .* to install it\n$/,
  );
});

test.each(['v24.9.0', 'v24.21.0', 'v25.0.1', 'v100.0.0'])('Node %j will do', (version) => {
  pretend('app/node_modules/.bin/node', version);
  expect(launch('app/controller/marathon-ipvs').status).toBe(0);
});

test('what was built is run as it is: by the node of the machine, without a cache', () => {
  symlinkSync(process.execPath, join(directory, 'bin/node'));
  pretend('app/node_modules/.bin/node', 'v20.0.0');
  writeFileSync(
    join(directory, 'app/controller/program/marathon-ipvs.mjs'),
    'console.log(JSON.stringify([process.argv.slice(2), process.env["NODE_COMPILE_CACHE"] ?? null]));',
  );
  const environment = { PATH: `${join(directory, 'bin')}:/usr/bin:/bin` };
  expect(launch('app/controller/marathon-ipvs', ['a b'], environment).stdout).toBe('[["a b"],null]\n');
});

test('the Node of package-lock.json knows each of the words for V8', () => {
  const launcher = readFileSync(new URL('../../controller/marathon-ipvs', import.meta.url), 'utf8');
  const words = /^memory='(.*)'$/m.exec(launcher)?.[1]?.match(/--[\w-]+/g) ?? [];
  expect(words).toHaveLength(3);
  const known = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' }).stdout;
  for (const word of words) expect(known).toContain(`${word} (`);
});

test.each([
  ['a checkout', 'main.ts', 'node_modules/.bin/node'],
  ['a build', 'program/marathon-ipvs.mjs', 'controller/node'],
])('SIGUSR1 opens no debugger: %s', (_, program, node) => {
  symlinkSync(process.execPath, join(directory, 'app', node));
  writeFileSync(
    join(directory, 'app/controller', program),
    `import { url } from 'node:inspector';
     process.kill(process.pid, 'SIGUSR1');
     setInterval(() => { if (url()) { console.log('debugger open'); process.exit(); } }, 10);
     setTimeout(() => { console.log('none'); process.exit(); }, 500);`,
  );
  const environment = { NODE_OPTIONS: '--inspect-port=0' };
  expect(launch('app/controller/marathon-ipvs', [], environment)).toEqual({
    status: 0,
    stdout: 'none\n',
    stderr: '',
  });
});

test('freed memory stays in one arena of glibc and large pieces return to the system, or as the environment says', () => {
  const variables = ['MALLOC_ARENA_MAX', 'MALLOC_MMAP_THRESHOLD_'];
  const values = `${JSON.stringify(variables)}.map((name) => process.env[name]).join()`;
  writeFileSync(join(directory, 'app/controller/main.ts'), `console.log(${values});`);
  symlinkSync(process.execPath, join(directory, 'app/node_modules/.bin/node'));
  expect(launch('app/controller/marathon-ipvs').stdout).toBe('1,131072\n');
  const other = { MALLOC_ARENA_MAX: '4', MALLOC_MMAP_THRESHOLD_: '65536' };
  expect(launch('app/controller/marathon-ipvs', [], other).stdout).toBe('4,65536\n');
});

test('compiled code is kept in the cache of whoever starts it, or where the environment says', () => {
  writeFileSync(join(directory, 'app/controller/main.ts'), 'console.log(process.env["NODE_COMPILE_CACHE"]);');
  symlinkSync(process.execPath, join(directory, 'app/node_modules/.bin/node'));
  const kept = (environment: NodeJS.ProcessEnv) =>
    launch('app/controller/marathon-ipvs', [], environment).stdout.trim();
  expect(kept({})).toBe(join(directory, '.cache/marathon-ipvs'));
  expect(kept({ XDG_CACHE_HOME: join(directory, 'xdg') })).toBe(join(directory, 'xdg/marathon-ipvs'));
  expect(kept({ NODE_COMPILE_CACHE: join(directory, 'here') })).toBe(join(directory, 'here'));
  expect(kept({ HOME: undefined })).toBe('');
});

test('no folder is made for a home that is not there', () => {
  writeFileSync(join(directory, 'app/controller/main.ts'), '');
  symlinkSync(process.execPath, join(directory, 'app/node_modules/.bin/node'));
  const absent = join(directory, 'absent');
  for (const environment of [{ HOME: absent }, { XDG_CACHE_HOME: join(absent, 'cache') }]) {
    expect(launch('app/controller/marathon-ipvs', [], environment)).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(existsSync(absent)).toBe(false);
  }
  // `/` is the home of accounts that have none.
  writeFileSync(join(directory, 'app/controller/main.ts'), 'console.log(process.env["NODE_COMPILE_CACHE"]);');
  expect(launch('app/controller/marathon-ipvs', [], { HOME: '/' }).stdout).toBe('\n');
});

test('a Node with capabilities that the container lacks is told in one line', () => {
  writeFileSync(join(directory, 'app/node_modules/.bin/node'), '#!/bin/sh\nexit 126\n', { mode: 0o755 });
  const { status, stderr } = launch('app/controller/marathon-ipvs');
  expect(status).toBe(2);
  expect(stderr).toMatch(
    / is not allowed to start \(a container needs --cap-add NET_ADMIN --cap-add NET_BIND_SERVICE\), but .*\n$/,
  );
});

test('no Node at all is told in one line', () => {
  const environment = { PATH: join(directory, 'bin') };
  for (const tool of ['readlink', 'dirname']) symlinkSync(`/usr/bin/${tool}`, join(directory, 'bin', tool));
  const { status, stderr } = launch('app/controller/marathon-ipvs', [], environment);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^marathon-ipvs: 'node' is missing, but .*\n$/);
});

test('a build that brings its own Node runs on that, whatever is on the PATH', () => {
  writeFileSync(join(directory, 'app/controller/program/marathon-ipvs.mjs'), 'console.log("built");');
  symlinkSync(process.execPath, join(directory, 'app/controller/node'));
  pretend('bin/node', 'v18.0.0');
  const path = `${join(directory, 'bin')}:${process.env['PATH']}`;
  expect(launch('app/controller/marathon-ipvs', [], { PATH: path })).toEqual({
    status: 0,
    stdout: 'built\n',
    stderr: '',
  });
});

test.each([
  ['both rights', 'net_admin net_bind_service', '+net_admin,+net_bind_service'],
  ['one of them', 'net_admin', '+net_admin'],
  ['the other', 'net_bind_service', '+net_bind_service'],
  ['neither', '', null],
])('in the image node gets what the container has: %s', (_, granted, raised) => {
  writeFileSync(join(directory, 'app/controller/program/marathon-ipvs.mjs'), '');
  writeFileSync(
    join(directory, 'app/controller/node'),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is of the shell
    '#!/bin/sh\n[ "$1" = --version ] && echo v24.9.0 || echo "${RAISED-as it is} $*"\n',
    { mode: 0o755 },
  );
  // As setpriv: it refuses all where one right is not to be had.
  writeFileSync(
    join(directory, 'app/controller/raise-capabilities'),
    `#!/bin/sh
[ "$1 $3 $2" = "--inh-caps --ambient-caps $4" ] || exit 1
for right in $(echo "$2" | tr ,+ '  '); do case ' ${granted} ' in *" $right "*) ;; *) exit 127 ;; esac; done
RAISED=$2
export RAISED
shift 4
exec "$@"
`,
    { mode: 0o755 },
  );
  const { status, stdout, stderr } = launch('app/controller/marathon-ipvs', ['--help']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(
    new RegExp(`^${RegExp.escape(raised ?? 'as it is')} .*marathon-ipvs\\.mjs --help\n$`),
  );
});
