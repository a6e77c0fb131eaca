/** What a command costs as a process of its own. */
import { execFileSync } from 'node:child_process';

export interface Cost {
  /** Seconds from start to end. */
  readonly wall: number;
  /** User and system seconds. */
  readonly cpu: number;
}

export interface Surroundings {
  readonly namespace?: string;
  readonly stdin?: string;
  /** Where its output goes. Defaults to nowhere. */
  readonly stdout?: string;
}

/** Runs a command; throws when it fails. */
export function timed(command: readonly string[], { namespace, stdin, stdout }: Surroundings = {}): Cost {
  const words = namespace === undefined ? command : ['ip', 'netns', 'exec', namespace, ...command];
  const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const script = `set -e; TIMEFORMAT='%R %U %S'; { time ${line} <"$IN" >"$OUT"; } 2>&1`;
  const times = execFileSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, IN: stdin ?? '/dev/null', OUT: stdout ?? '/dev/null' },
  });
  const [wall, user, system] = times.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  if (wall === undefined || user === undefined || system === undefined || Number.isNaN(wall + user + system))
    throw new Error(`${command.join(' ')}: ${times}`);
  return { wall, cpu: user + system };
}
