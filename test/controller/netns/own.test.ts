import { statSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { version } from '../../../controller/config/version.ts';
import { checkOwnNamespace, checkVersion } from '../../../controller/netns/own.ts';
import { nodeArguments } from '../../support/program.ts';
import { command } from '../../support/shell.ts';

const OWN = String(statSync('/proc/self/ns/net').ino);

test('a program for another namespace refuses to work in this one', () => {
  expect(() => checkOwnNamespace(OWN)).not.toThrow();
  expect(() => checkOwnNamespace('7')).toThrow(`the path leads to namespace ${OWN}, expected 7`);
});

test.each([
  ['0.0.9', 'version 0.0.9'],
  [undefined, 'another one'],
])('a helper does not serve a controller of version %s, and says what to do', (asking, running) => {
  expect(() => checkVersion(version())).not.toThrow();
  expect(() => checkVersion(asking)).toThrow(
    `the installed program is version ${version()}, but ${running} is running: restart it, as with \`systemctl restart marathon-ipvs\``,
  );
});

test('a helper whose files are newer than what starts it ends at once', async () => {
  const helper = nodeArguments().map((word) =>
    word.replace(/\/(?:main|marathon-ipvs)(\.m?[jt]s)$/, '/netns-helper$1'),
  );
  const { status, stdout, stderr } = await command([process.execPath, ...helper, '{}', OWN, '0.0.9']);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('but version 0.0.9 is running');
});
