/** What the demo prints: headed sections for eyes. */

const COLOUR = process.stdout.isTTY && !process.env['NO_COLOR'];
const begun = performance.now();

export function heading(text: string): void {
  print(`\n${bold(`== ${text}`)}`);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Something that happened, with the time since the start. */
export function moment(text: string): void {
  const seconds = ((performance.now() - begun) / 1000).toFixed(1).padStart(5);
  print(`  ${seconds} s  ${text}`);
}

/** Text of another program, as it came. */
export function quote(text: string): void {
  print(
    text
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`.trimEnd())
      .join('\n'),
  );
}

export function shellLine(line: string): void {
  print(`  $ ${line}`);
}

/** How requests spread over backends, a bar for each. */
export function spread(counts: ReadonlyMap<string, number>): void {
  const most = Math.max(1, ...counts.values());
  for (const [backend, count] of [...counts].sort()) {
    print(
      `    ${backend.padEnd(18)} ${String(count).padStart(5)}  ${'#'.repeat(Math.round((count / most) * 30))}`,
    );
  }
}

export function bold(text: string): string {
  return COLOUR ? `\u001b[1m${text}\u001b[0m` : text;
}

export function seconds(): number {
  return Math.round((performance.now() - begun) / 1000);
}

export const colourChoice = COLOUR ? 'always' : 'never';
