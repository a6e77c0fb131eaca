/** The namespaces of a directory, as they come and go; what keeps each of them only notes that it runs. */

import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { NamespaceFleet } from '../../../controller/netns/fleet.ts';
import type { NamespaceKeeper } from '../../../controller/netns/keeper.ts';
import { ledgerPath, namespaceLedgers } from '../../../controller/netns/ledgers.ts';
import type { Namespace } from '../../../controller/netns/namespaces.ts';
import { systemClock } from '../../../controller/time.ts';
import { CAN_MAKE_NAMESPACES, type HeldNamespace, holdNamespace } from '../../support/network-namespaces.ts';
import { until } from '../../support/waiting.ts';

let directory: string;
let ledgers: string;
let logged: string[];
let running: Set<string>;
/** What keeps a namespace takes until this to end. */
let ending: PromiseWithResolvers<void>;
let stop: AbortController;
let ended: Promise<void>;
let fleet: NamespaceFleet;
/** Whose ledgers were there when what keeps them began, by id. */
let found: string[];
/** Names of the files of their ledgers. */
let files: readonly string[];

/** Skipped where this user may make no network namespace. */
const withNamespaces = CAN_MAKE_NAMESPACES ? describe : describe.skip;
let held: readonly HeldNamespace[];
beforeAll(async () => {
  held = CAN_MAKE_NAMESPACES ? await Promise.all([holdNamespace(), holdNamespace()]) : [];
  files = await Promise.all(held.map(async ({ path }) => `${(await stat(path)).ino}.json`));
});
afterAll(async () => {
  for (const namespace of held) await namespace.end();
});

const log = {
  debug: () => undefined,
  info: (message: string, fields?: object) => logged.push(`${message} ${JSON.stringify(fields)}`),
  warn: (message: string, fields?: object) => logged.push(`${message} ${JSON.stringify(fields)}`),
  error: () => undefined,
};

beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'netns-fleet-'));
  directory = join(root, 'netns');
  ledgers = join(root, 'ledger.json.d');
  await Promise.all([directory, ledgers].map((path) => mkdir(path)));
  logged = [];
  running = new Set();
  found = [];
  ending = Promise.withResolvers();
  ending.resolve();
  stop = new AbortController();
});
afterEach(async () => {
  ending.resolve();
  stop.abort();
  await ended;
  await rm(join(directory, '..'), { recursive: true, force: true });
});

function start(absenceMs?: number): void {
  const keeper = (namespace: Namespace) =>
    ({
      namespace,
      report: { ...namespace, isInSync: true, reason: null, vips: 1, since: 0 },
      async run(signal: AbortSignal) {
        running.add(namespace.id);
        const path = ledgerPath(ledgers, namespace.inode);
        if ((await readdir(ledgers)).includes(basename(path))) found.push(namespace.id);
        await writeFile(path, 'ours');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await ending.promise;
        running.delete(namespace.id);
      },
    }) as unknown as NamespaceKeeper;
  fleet = new NamespaceFleet({
    directory,
    keeper,
    ledgers: namespaceLedgers(ledgers),
    clock: systemClock,
    log,
    absenceMs,
  });
  ended = fleet.run(stop.signal);
}

async function add(id: string, at: number): Promise<void> {
  await symlink(held[at]?.path ?? '', join(directory, id));
}

withNamespaces('the namespaces of a directory', () => {
  test('each namespace is kept until it is gone, and its ledger is removed if it does not return', async () => {
    await add('web', 0);
    start(50);
    await until(async () => expect([...running]).toEqual(['web']), 'web is kept');
    await add('db', 1);
    await until(async () => expect([...running].sort()).toEqual(['db', 'web']), 'db is kept');
    await rm(join(directory, 'web'));
    await until(async () => {
      expect([...running]).toEqual(['db']);
      expect(await readdir(ledgers)).toEqual([files[1]]);
    }, 'web is forgotten');
    expect(fleet.report.namespaces.map(({ id }) => id)).toEqual(['db']);
  });

  test('a file that returns finds the ledger of its namespace', async () => {
    await add('web', 0);
    start();
    await until(async () => expect([...running]).toEqual(['web']), 'web is kept');
    await rm(join(directory, 'web'));
    await until(async () => expect([...running]).toEqual([]), 'web is let go');
    expect(found).toEqual([]);
    await add('web', 0);
    await until(async () => expect([...running]).toEqual(['web']), 'web is kept again');
    await until(async () => expect(found).toEqual(['web']), 'its ledger is there');
  });

  test('a renamed file keeps the ledger of its namespace', async () => {
    await add('web', 0);
    start();
    await until(async () => expect([...running]).toEqual(['web']), 'web is kept');
    await rename(join(directory, 'web'), join(directory, 'shop'));
    await until(async () => expect(found).toEqual(['shop']), 'shop has the ledger of web');
    await until(async () => expect([...running]).toEqual(['shop']), 'shop alone is kept');
    expect(await readdir(ledgers)).toEqual([files[0]]);
  });

  test('the other of two files of a namespace takes over its ledger', async () => {
    await add('web', 0);
    start();
    await until(async () => expect([...running]).toEqual(['web']), 'web is kept');
    await add('alias', 0);
    await until(async () => expect(fleet.report.namespaces).toHaveLength(2), 'alias is refused');
    await rm(join(directory, 'web'));
    await until(async () => expect(found).toEqual(['alias']), 'alias has the ledger of web');
    await until(async () => expect([...running]).toEqual(['alias']), 'alias alone is kept');
  });

  test('the old keeper of a namespace ends before one under another name starts', async () => {
    await add('web', 0);
    await add('db', 1);
    start();
    await until(async () => expect([...running].sort()).toEqual(['db', 'web']), 'both are kept');
    ending = Promise.withResolvers();
    await rename(join(directory, 'web'), join(directory, 'shop'));
    await until(async () => expect(logged.at(-1)).toContain('"netns":"shop"'), 'shop is found');
    expect(running).not.toContain('shop');
    ending.resolve();
    await until(async () => expect([...running].sort()).toEqual(['db', 'shop']), 'shop is kept');
  });

  test('a file that returns for another namespace finds no ledger', async () => {
    await add('web', 0);
    start();
    await until(async () => expect([...running]).toEqual(['web']), 'web is kept');
    await rm(join(directory, 'web'));
    await until(async () => expect([...running]).toEqual([]), 'web is let go');
    await add('web', 1);
    await until(
      async () => expect((await readdir(ledgers)).sort()).toEqual([...files].sort()),
      'web is kept again',
    );
    expect(found).toEqual([]);
  });

  test('a namespace that was gone before the start and returns soon after finds its ledger', async () => {
    await writeFile(join(ledgers, files[0] ?? ''), '');
    await writeFile(join(directory, 'broken'), 'no path\n');
    start();
    await until(async () => expect(fleet.report.namespaces).toHaveLength(1), 'the first look');
    await add('web', 0);
    await until(async () => expect(found).toEqual(['web']), 'its ledger is there');
  });

  test('a start removes only the ledgers of namespaces that are gone', async () => {
    const others = ['7.json', '7.json.damaged', 'of-nothing.txt'];
    for (const file of [...files, ...others]) await writeFile(join(ledgers, file), '');
    await add('web', 0);
    await add('db', 1);
    start(50);
    await until(async () => {
      expect(found.sort()).toEqual(['db', 'web']);
      expect((await readdir(ledgers)).sort()).toEqual([...files, 'of-nothing.txt'].sort());
    }, 'they are forgotten');
  });

  test('a file without a namespace is reported once, with the reason', async () => {
    await writeFile(join(directory, 'broken'), 'no path\n');
    start();
    await until(async () => expect(fleet.report.namespaces).toHaveLength(1), 'it is told');
    await add('web', 0);
    await until(async () => expect([...running]).toEqual(['web']), 'web is kept');
    expect(fleet.report.namespaces).toMatchObject([
      { id: 'broken', path: null, isInSync: false, reason: 'expected the path of a network namespace in it' },
      { id: 'web', isInSync: true },
    ]);
    expect(logged.filter((line) => line.includes('broken'))).toHaveLength(1);
  });

  test('a directory that can no longer be read keeps the namespaces found, and says why', async () => {
    await add('web', 0);
    start();
    await until(async () => expect([...running]).toEqual(['web']), 'web is kept');
    await rm(directory, { recursive: true });
    await until(async () => expect(fleet.report.failure).not.toBeNull(), 'it is told');
    expect(fleet.report.failure).toContain('there is no such file or directory');
    expect([...running]).toEqual(['web']);
  });
});
