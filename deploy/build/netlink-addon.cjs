/**
 * In the build this stands in for `node-gyp-build`, by which the package `netlink` finds its compiled part: that lies beside
 * the program, for the processors that deploy/build/build.ts copies it for.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

module.exports = () => {
  const file = join(__dirname, `netlink-${process.arch}.node`);
  if (!existsSync(file))
    throw new Error(`${file} is missing: this build has no part for the processor ${process.arch}`);
  return require(file);
};
