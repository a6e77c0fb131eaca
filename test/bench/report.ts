/** What a benchmark found, beside its targets. */

export interface Target {
  readonly ratio: number;
  readonly is: 'at least' | 'at most';
}

interface Line {
  readonly what: string;
  readonly figure: string;
  readonly target: string;
  readonly met: boolean;
}

/** Lines with a verdict; `print` at the end, which with `--check` makes the process end with 1 when a target is missed. */
export class Report {
  readonly #lines: Line[] = [];

  add(what: string, ratio: number, target: Target | null, detail: string): void {
    const within =
      target === null || (target.is === 'at most' ? ratio <= target.ratio : ratio >= target.ratio);
    this.#lines.push({
      what,
      figure: `${ratio.toFixed(2)} (${detail})`,
      target: target === null ? '' : `target ${target.is} ${target.ratio}`,
      met: within,
    });
  }

  print(): void {
    for (const { what, figure, target, met } of this.#lines) {
      const line = `${met ? 'ok    ' : 'MISSED'}  ${what.padEnd(62)} ${figure.padEnd(40)} ${target}`;
      process.stdout.write(`${line.trimEnd()}\n`);
    }
    if (process.argv.includes('--check') && this.#lines.some(({ met }) => !met)) process.exitCode = 1;
  }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The smallest value that this share of all values does not exceed; NaN where there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
