/** The commands for apps as someone types them. */

import { parseCommandLine } from '../../../../../controller/cli/command-line.ts';
import { executeAppCommand } from '../../../../../controller/cli/commands/apps/execute.ts';
import { readInputFile } from '../../../../../controller/cli/input.ts';
import { APP_COMMANDS } from '../../../../../controller/config/option.ts';
import type { Clock } from '../../../../../controller/ports.ts';
import { painter } from '../../../../../controller/text/table.ts';
import { systemClock } from '../../../../../controller/time.ts';

export interface Said {
  readonly status: number;
  readonly out: string;
  readonly complaints: readonly string[];
  /** Every progress line that differs from the one before. */
  readonly progress: readonly string[];
}

export interface Typing {
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Where the local controller would be; by default nobody listens there. */
  readonly server?: string;
  readonly onProgress?: (line: string) => void;
  readonly onPrint?: (text: string) => void;
  readonly clock?: Clock;
}

/** Runs `marathon-ipvs WORDS… --marathon URL` within this process. */
export function type(url: string, words: readonly string[], typing: Typing = {}): Promise<Said> {
  return typeLine([...words, '--marathon', url], typing);
}

/** Runs `marathon-ipvs WORDS…` within this process. */
export async function typeLine(words: readonly string[], typing: Typing = {}): Promise<Said> {
  const {
    input = '',
    signal = new AbortController().signal,
    onProgress,
    onPrint,
    clock = systemClock,
  } = typing;
  const { server = 'http://127.0.0.1:1' } = typing;
  const writes = !['list', 'show'].includes(words[1] ?? '');
  const asked = parseCommandLine([...words, ...(writes ? ['--server', server] : [])], {});
  const command = APP_COMMANDS.find((name) => name === asked.command);
  if (!('config' in asked) || command === undefined) throw new Error('no command for apps');
  let out = '';
  const complaints: string[] = [];
  const progress: string[] = [];
  const ports = {
    print: (text: string) => {
      out += text;
      onPrint?.(text);
    },
    printError: (line: string) => complaints.push(line),
    progress: (line: string | null) => {
      if (line === null || line === progress.at(-1)) return;
      progress.push(line);
      onProgress?.(line);
    },
    readInput: async () => Buffer.from(input),
    readInputFile: (path: string) => readInputFile(path, signal),
    layout: () => ({ width: null, paint: painter(false) }),
    clock,
  };
  const status = await executeAppCommand({ ...asked, command }, ports, signal);
  return { status, out, complaints, progress };
}
