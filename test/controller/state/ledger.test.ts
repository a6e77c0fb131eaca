import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLedger } from '../../../controller/state/ledger.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ledger-'));
  path = join(directory, 'run', 'ledger.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const entries = new Map([
  [
    'tcp/11.134.217.55:5555',
    { name: 'my-service', framework: 'marathon', fqdn: 'my-service.marathon.l4lb.thisdcos.directory' },
  ],
  ['udp/[fd01:c::7]:53', { name: null, framework: null, fqdn: null }],
]);

describe('the ledger', () => {
  test('gives back what was saved, also to a later process', async () => {
    await createLedger(path).save(entries);
    expect((await createLedger(path).load()).entries).toEqual(entries);
  });

  test('is empty where there is no file, without a warning', async () => {
    expect(await createLedger(path).load()).toEqual({ entries: new Map() });
  });

  test('can be read by its owner only, and leaves no temporary file behind', async () => {
    await createLedger(path).save(entries);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(directory, 'run'))).toEqual(['ledger.json']);
  });

  test.each([
    ['cut short', '{"version":1,"services":{"tcp/11.0.'],
    ['of a version that we do not know', '{"version":9,"services":{}}'],
    ['not JSON at all', '\u0000\u0000'],
  ])(
    'that is damaged (%s) is told of, counts as empty, and is set aside when the next is written',
    async (_what, text) => {
      const ledger = createLedger(path);
      await ledger.save(entries);
      await writeFile(path, text);
      const { entries: loaded, warning } = await ledger.load();
      expect(loaded.size).toBe(0);
      expect(warning).toContain('is damaged');
      expect(await readFile(path, 'utf8')).toBe(text);
      await ledger.save(entries);
      expect((await ledger.load()).entries).toEqual(entries);
      expect(await readFile(`${path}.damaged`, 'utf8')).toBe(text);
    },
  );

  test('of another network namespace or boot is not used', async () => {
    await createLedger(path, 'boot-1 net:[1]').save(entries);
    const { entries: loaded, warning } = await createLedger(path, 'boot-1 net:[2]').load();
    expect(loaded.size).toBe(0);
    expect(warning).toContain('another network namespace or boot');
  });

  test('that cannot be written says so, and the old one stays', async () => {
    const ledger = createLedger(path);
    await ledger.save(entries);
    const blocked = createLedger(join(path, 'below-a-file.json'));
    await expect(blocked.save(new Map())).rejects.toThrow(
      /write ledger .*nothing is changed in the kernel without it/,
    );
    expect((await ledger.load()).entries).toEqual(entries);
  });
});

test('a file that is there but cannot be read rejects: what is ours would be unknown', async () => {
  await createLedger(path).save(entries);
  await chmod(path, 0o000);
  // Root may read everything; a directory in the file's place cannot be read by anyone.
  const asDirectory = createLedger(join(directory, 'run'));
  await expect(asDirectory.load()).rejects.toThrow('read ledger');
});
