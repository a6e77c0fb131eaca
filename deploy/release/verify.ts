import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const SUMS = 'SHA256SUMS';
export const SBOM_SUFFIX = '.cdx.json';

/** The line of `sha256sum` for each of these files of a folder. */
export async function sumsOf(folder: string, names: readonly string[]): Promise<string> {
  let lines = '';
  for (const name of names.toSorted()) lines += `${await sumOf(join(folder, name))}  ${name}\n`;
  return lines;
}

/**
 * What is wrong with the release in that folder, a line each; none where all is right: every file is listed in SHA256SUMS with
 * its sum, every listed file is there, and beside each artefact lies its bill of materials. Rejects where there is no
 * SHA256SUMS.
 */
export async function problemsOf(folder: string): Promise<readonly string[]> {
  const listed = new Map<string, string>();
  for (const line of (await readFile(join(folder, SUMS), 'utf8')).split('\n').filter(Boolean)) {
    const [, sum, name] = /^([0-9a-f]{64}) {2}([^/]+)$/.exec(line) ?? [];
    if (sum === undefined || name === undefined) return [`${SUMS}: "${line}" is no line of sha256sum`];
    listed.set(name, sum);
  }
  const present = (await readdir(folder)).filter((name) => name !== SUMS).sort();
  if (listed.size === 0) return [`${SUMS}: lists no file`];
  const problems = present.filter((name) => !listed.has(name)).map((name) => `${name}: not in ${SUMS}`);
  for (const [name, sum] of listed) {
    if (!present.includes(name)) problems.push(`${name}: missing`);
    else if ((await sumOf(join(folder, name))) !== sum)
      problems.push(`${name}: its sum is not the one in ${SUMS}`);
    if (!name.endsWith(SBOM_SUFFIX) && !listed.has(name + SBOM_SUFFIX))
      problems.push(`${name}: no bill of materials`);
  }
  return problems;
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(file)) hash.update(bytes);
  return hash.digest('hex');
}
