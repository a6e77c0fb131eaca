import { execFile } from 'node:child_process';
import type { Part } from './collect.ts';
import { LIMITS } from './collect.ts';

/** What a program of the host prints; no part of a bundle where it is not there or fails. */
export function programPart(name: string, line: readonly [string, ...string[]]): Part {
  return { name, collect: async (signal) => await outputOf(line, signal) };
}

/** The output of a program, as much of it as a file may have. Rejects with the reason in one line where it fails. */
function outputOf([program, ...args]: readonly [string, ...string[]], signal: AbortSignal): Promise<string> {
  const { PATH = '', ...environment } = process.env;
  // A login shell of another user than root often has no /usr/sbin, where ip and nft are.
  const env = { ...environment, LC_ALL: 'C', PATH: `${PATH}:/usr/sbin:/sbin` };
  const options = { env, signal, maxBuffer: LIMITS.file, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      // Its last line may be half of one, with half a secret.
      if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
        return resolve(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
      const line = [program, ...args].join(' ');
      reject(
        new Error(
          error.code === 'ENOENT'
            ? `${program} is not on this host`
            : `${line}: ${stderr.trim() || error.message}`,
        ),
      );
    });
    child.stdin?.end();
  });
}
