/**
 * Writes the documentation as a site: `npm run site` makes it in `site/`, which opens from disk and can be put on any
 * server of files. Ends with 1 when a link leads nowhere.
 */

import { fileURLToPath } from 'node:url';
import { version } from '../../controller/config/version.ts';
import { ROOT, repository } from './repository.ts';
import { makeSite } from './site.ts';
import { writeSite } from './write.ts';

const site = makeSite(repository, version());
const folder = new URL('site/', ROOT);
writeSite(site, folder);

process.stdout.write(`${site.pages.size} pages and ${site.copied.size} files in ${fileURLToPath(folder)}\n`);
for (const problem of site.problems) process.stderr.write(`${problem}\n`);
if (site.problems.length > 0) process.exitCode = 1;
