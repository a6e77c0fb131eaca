import { execFileSync } from 'node:child_process';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { messageOf } from '../../../controller/errors.ts';
import type { LedgerEntry } from '../../../controller/ports.ts';
import { createLedger } from '../../../controller/state/ledger.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ledger-'));
  path = join(directory, 'run', 'ledger.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const entries = new Map<string, LedgerEntry>([
  [
    'tcp/11.134.217.55:5555',
    { name: 'my-service', framework: 'marathon', fqdn: 'my-service.marathon.l4lb.thisdcos.directory' },
  ],
  ['udp/[fd01:c::7]:53', { name: null, framework: null, fqdn: null }],
]);

describe('a save', () => {
  const [first = '', second = ''] = entries.keys();
  const many = () =>
    new Map(
      Array.from({ length: 1_000 }, (_, i): [string, LedgerEntry] => [
        `tcp/11.0.${i >> 8}.${i & 255}:80`,
        {
          name: `service-${i}`,
          framework: 'marathon',
          fqdn: `service-${i}.marathon.l4lb.thisdcos.directory`,
        },
      ]),
    );

  test('adds to the file what changed, and leaves the rest of it', async () => {
    const ledger = createLedger(path);
    await ledger.save(many(), null);
    const before = await readFile(path, 'utf8');
    const changed = new Map([...many(), ...entries]);
    changed.delete('tcp/11.0.0.7:80');
    await ledger.save(changed, [...entries.keys(), 'tcp/11.0.0.7:80']);
    const added = (await readFile(path, 'utf8')).slice(before.length);
    expect(await readFile(path, 'utf8')).toBe(before + added);
    expect(added.length).toBeLessThan(600);
    expect((await createLedger(path).load()).entries).toEqual(changed);
  });

  test('that a crash cut short counts as none', async () => {
    const ledger = createLedger(path);
    await ledger.save(entries, null);
    const before = await readFile(path, 'utf8');
    await ledger.save(new Map([[first, { name: 'other', framework: null, fqdn: null }]]), [first, second]);
    const after = await readFile(path, 'utf8');
    await writeFile(path, after.slice(0, before.length + 20));
    const restarted = createLedger(path);
    expect(await restarted.load()).toEqual({ entries });
    await restarted.save(new Map(), [first, second]);
    expect((await restarted.load()).entries.size).toBe(0);
  });

  // A lost removal would make another program's service ours.
  test('of which a line is damaged makes the whole ledger damaged', async () => {
    const ledger = createLedger(path);
    await ledger.save(entries, null);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('my-service', 'my-servant'));
    const { entries: loaded, warning } = await ledger.load();
    expect([loaded.size, warning]).toEqual([
      0,
      expect.stringMatching(/is damaged \(lines that cannot be used: 1\)/),
    ]);
  });
});

describe('the ledger', () => {
  test('gives back what was saved, also to a later process', async () => {
    await createLedger(path).save(entries, null);
    expect((await createLedger(path).load()).entries).toEqual(entries);
  });

  test('is empty where there is no file, without a warning', async () => {
    expect(await createLedger(path).load()).toEqual({ entries: new Map() });
  });

  test('can be read by its owner only, and leaves no temporary file behind', async () => {
    await createLedger(path).save(entries, null);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(directory, 'run'))).toEqual(['ledger.json']);
  });

  test.each([
    ['cut in its first line', '1a2b3c4d {"version":2'],
    ['JSON without a checksum', '{"version":2,"of":"ledger"}\n'],
    ['no text at all', '\u0000\u0000'],
    ['empty', ''],
  ])(
    'that is damaged (%s) is told of, counts as empty, and is set aside when the next is written',
    async (_what, text) => {
      const ledger = createLedger(path);
      await ledger.save(entries, null);
      await writeFile(path, text);
      const { entries: loaded, warning } = await ledger.load();
      expect(loaded.size).toBe(0);
      expect(warning).toMatch(/is damaged \(it is not a journal of version 2\)/);
      expect(await readFile(path, 'utf8')).toBe(text);
      await ledger.save(entries, null);
      expect((await ledger.load()).entries).toEqual(entries);
      expect(await readFile(`${path}.damaged`, 'utf8')).toBe(text);
    },
  );

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['that all may write', () => chmod(path, 0o602), /can be written by other users.*`chmod go-w /],
    ['that its group may write', () => chmod(path, 0o620), /can be written by other users.*`chmod go-w /],
    [
      'in a folder that all may write',
      () => chmod(join(path, '..'), 0o777),
      /run can be written.*`chmod go-w /,
    ],
    [
      'that is a symbolic link',
      async () => {
        await rename(path, `${path}.elsewhere`);
        await symlink(`${path}.elsewhere`, path);
      },
      /is a symbolic link: remove it/,
    ],
  ])('%s could be another user’s word: it is told of, and counts as empty', async (_what, spoil, why) => {
    const ledger = createLedger(path);
    await ledger.save(entries, null);
    await spoil();
    const { entries: loaded, warning } = await ledger.load();
    expect([loaded.size, warning]).toEqual([0, expect.stringMatching(why)]);
    await ledger.save(entries, null);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(directory, 'run'))).toContain('ledger.json.damaged');
  });

  (process.geteuid?.() === 0 ? test : test.skip)(
    'of another user is told of, and counts as empty',
    async () => {
      await createLedger(path).save(entries, null);
      await chown(path, 65_534, 65_534);
      expect((await createLedger(path).load()).warning).toMatch(/belongs to user 65534; .*`chown 0 /);
      await chown(path, 0, 0);
      await chmod(directory, 0o777);
      await chown(join(path, '..'), 65_534, 0);
      expect((await createLedger(path).load()).warning).toMatch(/run belongs to user 65534; .*`chown 0 /);
    },
  );

  test('that root may read and write as the user to whom it gave the folder, as cleanup after a service', async () => {
    if (process.geteuid?.() !== 0) return;
    await createLedger(path).save(entries, null);
    for (const one of [join(path, '..'), path]) await chown(one, 65_534, 65_534);
    expect((await createLedger(path).load()).entries).toEqual(entries);
  });

  test('that was damaged and is gone by now is written anew', async () => {
    const ledger = createLedger(path);
    await ledger.save(entries, null);
    await writeFile(path, '{broken');
    expect((await ledger.load()).warning).toContain('is damaged');
    await rm(path);
    await ledger.save(entries, null);
    expect((await ledger.load()).entries).toEqual(entries);
  });

  test('is not written through a link that lies where its next text would', async () => {
    const victim = join(directory, 'victim');
    await writeFile(victim, 'precious');
    await createLedger(path).save(new Map(), null);
    await symlink(victim, `${path}.${process.pid}.new`);
    const ledger = createLedger(path);
    await ledger.save(entries, null);
    expect([await readFile(victim, 'utf8'), (await ledger.load()).entries]).toEqual(['precious', entries]);
  });

  test('of another network namespace or boot is not used', async () => {
    await createLedger(path, 'boot-1 net:[1]').save(entries, null);
    const { entries: loaded, warning } = await createLedger(path, 'boot-1 net:[2]').load();
    expect(loaded.size).toBe(0);
    expect(warning).toContain('another network namespace or boot');
  });

  test('that cannot be written says so, and the old one stays', async () => {
    const ledger = createLedger(path);
    await ledger.save(entries, null);
    const blocked = createLedger(join(path, 'below-a-file.json'));
    await expect(blocked.save(new Map(), null)).rejects.toThrow(
      /^ledger .* \(--ledger\) cannot be written, so no new service is added$/,
    );
    expect((await ledger.load()).entries).toEqual(entries);
  });
});

test('a process that was paused while it wrote does not take that for a file system that hangs', async () => {
  let isPaused = true;
  const clock = {
    epoch: () => 0,
    // As after a pause: the timer is due at once, and the file system has answered.
    sleep: () => {
      const slept = isPaused ? Promise.resolve() : new Promise<void>(() => undefined);
      isPaused = false;
      return slept;
    },
  };
  await createLedger(path, 'boot-1', clock).save(entries, null);
  expect((await createLedger(path, 'boot-1').load()).entries).toEqual(entries);
});

test('a file system that does not answer fails a write in time, and no other is begun before that one ends', async () => {
  let isLate = true;
  const clock = {
    epoch: () => 0,
    sleep: () => (isLate ? Promise.resolve() : new Promise<void>(() => undefined)),
  };
  const ledger = createLedger(path, 'boot-1', clock);
  await expect(ledger.save(entries, null).catch(messageOf)).resolves.toMatch(/has not answered for 3 s$/);
  isLate = false;
  const second = await ledger.save(new Map(), null).catch(messageOf);
  expect(second).toMatch(/the previous write has not finished$/);
  while ((await createLedger(path, 'boot-1').load()).entries.size === 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  // The write that came too late is not what was saved last.
  await ledger.save(new Map(), []);
  expect((await createLedger(path, 'boot-1').load()).entries.size).toBe(0);
});

test.each([
  ['a named pipe', (at: string) => execFileSync('sh', ['-c', 'mkfifo -m 600 "$0"', at])],
  ['a directory', (at: string) => mkdir(at)],
])('%s in its place is refused: what is ours is not known then', async (what, make) => {
  const at = join(directory, 'ledger.json');
  await make(at);
  const refused: Error = await createLedger(at)
    .load()
    .then(
      () => new Error('it was taken'),
      (error) => error,
    );
  expect(messageOf(refused)).toBe(
    `ledger ${at} (--ledger) cannot be read: ${at} is ${what}, not a regular file: remove it`,
  );
});
