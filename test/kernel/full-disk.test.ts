import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { messageOf } from '../../controller/errors.ts';
import { createLedger } from '../../controller/state/ledger.ts';
import { createStateStore } from '../../controller/state/store.ts';
import { app, snapshot } from '../support/builders.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { onKernel } from './ipvs-kernel.ts';

/** A file system of 256 KiB, which only root may make. */
onKernel('a full file system', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'full-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=700', 'none', directory]);
  });
  afterEach(async () => {
    execFileSync('umount', [directory]);
    await rm(directory, { recursive: true });
  });

  const filler = () => join(directory, 'filler');
  const fill = () => writeFile(filler(), 'x'.repeat(300_000)).catch(() => undefined);
  const free = () => rm(filler());
  const nothing = () => undefined;
  const warnings: string[] = [];
  const log = { debug: nothing, info: nothing, warn: (text: string) => warnings.push(text), error: nothing };
  const open = () => createStateStore(directory, new FakeClock(), log);

  test('keeps the last good state that it has; the next save that fits brings what came meanwhile', async () => {
    const store = open();
    const [a, b] = [app('/a'), app('/b', { warnings: ['long '.repeat(5_000)] })];
    await store.saveSource('marathon', null, () => snapshot(a));
    await fill();
    const save = () => store.saveSource('marathon', { upserts: [b], removed: [] }, () => snapshot(a, b));
    expect(await save().catch(messageOf)).toMatch(/\(--state-dir\): no space is left on the file system$/);
    expect((await open().loadSource('marathon'))?.snapshot.apps).toEqual([a]);
    await free();
    await save();
    expect((await open().loadSource('marathon'))?.snapshot.apps).toEqual([a, b]);
    expect(warnings).toEqual([]);
  });

  test('keeps the ledger that it has; the next one that fits replaces it', async () => {
    const ledger = createLedger(join(directory, 'ledger.json'));
    const entries = (count: number) =>
      new Map(
        Array.from({ length: count }, (_, i) => [
          `tcp/11.0.0.1:${i}`,
          { name: null, framework: null, fqdn: null },
        ]),
      );
    await ledger.save(entries(1), null);
    await fill();
    expect(await ledger.save(entries(1_000), null).catch(messageOf)).toMatch(
      /no new service is added: no space is left on the file system$/,
    );
    expect((await ledger.load()).entries).toEqual(entries(1));
    await free();
    await ledger.save(entries(1_000), null);
    expect((await ledger.load()).entries).toEqual(entries(1_000));
  });
});
