/** Options as tests give them: by flag, in the environment, in a file. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from '@jest/globals';
import { resolveConfig } from '../../../controller/config/config.ts';
import type { CommandName } from '../../../controller/config/option.ts';
import type { Environment, OptionText } from '../../../controller/config/option-text.ts';
import type { OptionName } from '../../../controller/config/options.ts';

export const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

export function yaml(text: string | Uint8Array): string {
  const path = join(directory, 'config.yaml');
  writeFileSync(path, text);
  return path;
}

/** A path below which nothing is, in a folder of this test's own. */
export const ABSENT = join(directory, 'absent');

export function flags(values: Partial<Record<OptionName, string | readonly string[]>>): OptionText[] {
  return Object.entries(values).map(([name, text]) => ({
    name: name as OptionName,
    origin: 'flag',
    place: 'on the command line',
    text,
  }));
}

const APPS = { source: ['file=apps.json'] };

export function resolve(
  given: {
    flags?: Partial<Record<OptionName, string | readonly string[]>>;
    environment?: Environment;
    file?: string | Uint8Array;
  },
  command: CommandName = 'run',
) {
  const config = given.file === undefined ? {} : { config: yaml(given.file) };
  return resolveConfig(command, flags({ ...APPS, ...config, ...given.flags }), given.environment ?? {});
}

export function refusalOf(given: Parameters<typeof resolve>[0], command?: CommandName): string {
  try {
    resolve(given, command);
  } catch (error) {
    expect(error).toMatchObject({ name: 'ControllerError', code: 'usage', retry: 'never' });
    const message = error instanceof Error ? error.message : '';
    expect(message).not.toMatch(/\n/);
    return message;
  }
  throw new Error('nothing was refused');
}
