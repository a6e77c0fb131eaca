import { execFile } from 'node:child_process';
import type { Part } from './collect.ts';
import { LIMITS } from './collect.ts';

/** Creates a part with the output of a program on the host. */
export function programPart(name: string, line: readonly [string, ...string[]]): Part {
  return { name, collect: async (signal) => await outputOf(line, signal) };
}

/** Returns a program's output, truncated to the size of a file. Rejects with the reason if the program fails. */
function outputOf([program, ...args]: readonly [string, ...string[]], signal: AbortSignal): Promise<string> {
  const { PATH = '', ...environment } = process.env;
  // The PATH of users other than root often lacks /usr/sbin, where ip and nft are.
  const env = { ...environment, LC_ALL: 'C', PATH: `${PATH}:/usr/sbin:/sbin` };
  const options = { env, signal, maxBuffer: LIMITS.file, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      // Drop the last line, which may be incomplete and contain half a secret.
      if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
        return resolve(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
      const line = [program, ...args].join(' ');
      reject(
        new Error(
          error.code === 'ENOENT'
            ? `${program} is not installed on this host`
            : `${line}: ${stderr.trim() || error.message}`,
        ),
      );
    });
    child.stdin?.end();
  });
}
